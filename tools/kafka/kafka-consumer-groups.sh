#!/bin/sh
# Kafka's own command of this name, from the jars that `make services` fetched.
exec "${JAVA_HOME:+$JAVA_HOME/bin/}java" -XX:TieredStopAtLevel=1 \
  -cp "$(dirname "$0")/../../target/services/kafka/lib/*" org.apache.kafka.tools.consumer.group.ConsumerGroupCommand "$@"
