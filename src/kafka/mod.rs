//! Kafka: the consumer and its threads. rdkafka is named only in this folder.
