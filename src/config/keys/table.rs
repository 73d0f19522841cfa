//! The table of every key. `check`, the environment, the typo rule and the commented sample file all stand on it.

use super::{Key, Kind};

const MAX_MS: i64 = 86_400_000;

/// In the order in which a newcomer would ask for them.
#[rustfmt::skip] // one row a line
pub const KEYS: &[Key] = &[
    key("name", Kind::Form("text without control characters"), "names the sink (required); the consumer group is connect-<name> unless consumer.group.id says otherwise"),
    key("connector.class", Kind::Form("com.milvus.io.kafka.MilvusSinkConnector, MilvusSinkConnector or MilvusSink"), "not needed; a file that has it is read as a Kafka Connect connector file"),
    key("bootstrap.servers", Kind::List, "Kafka brokers, host:port, separated by commas").default("localhost:9092"),
    key("topics", Kind::List, "topics to read, separated by commas (this or topics.regex is required)"),
    key("topics.regex", Kind::Text, "instead of topics: a regular expression, as Java's, that whole topic names match; new topics are picked up"),
    key("tasks.max", Kind::Form("a whole number from 1 to 1024, or cores"), "upper bound of parallel writers per collection (per Milvus partition, where partition.name is set); cores: one per processor core").default("cores"),
    key("public.endpoint", Kind::Form("http(s)://host[:port]; without a port https is 443 and http is 19530"), "Milvus or Zilliz Cloud (required): http(s)://host[:port]; without a port https is 443 and http is 19530"),
    key("token", Kind::Text, "user:password or an API key; better given as MILVUS_SINK_TOKEN or in token.file").secret(),
    key("token.file", Kind::Path, "a file that holds the token; read again when it changes"),
    key("database.name", Kind::Text, "Milvus database").default("default"),
    key("collection.name", Kind::Form("a name, or a template over ${topic}"), "Milvus collection: a name, or a template over ${topic}").default("${topic}"),
    key("topic2collection.map", Kind::List, "collections of single topics, over collection.name: topicA:collA,topicB:collB"),
    key("partition.name", Kind::Form("a name of letters, digits, '_' and '-', or a template over ${topic}"), "Milvus partition of the collection: a name, or a template over ${topic}; not where a field is a partition key"),
    key("insert.mode", Kind::Choice(&["auto", "upsert", "insert"]), "auto: upsert where the record brings the primary key, insert where Milvus makes it").default("auto"),
    key("pk.mode", Kind::Choice(&["record_value", "record_key", "kafka", "none"]), "where the primary key comes from: record_value, record_key, kafka (topic:partition:offset), none (Milvus makes it)").default("record_value"),
    key("behavior.on.null.values", Kind::Choice(&["ignore", "delete", "fail"]), "a record without a value (tombstone): ignore, delete (by the record key), fail").default("ignore"),
    key("delete.when.field", Kind::Form("a field and its text, field:text, the field at most 16 names deep"), "a record whose field has this text deletes the row of its primary key: __deleted:true; the field is not written"),
    key("behavior.on.unknown.fields", Kind::Choice(&["ignore", "fail"]), "a record field that the collection lacks and has no dynamic field for: ignore, fail").default("ignore"),
    key("behavior.on.collection.recreated", Kind::Choice(&["fail", "continue"]), "the collection was dropped and made again since offsets were committed: fail halts its partitions, continue goes on without the rows before").default("fail"),
    key("behavior.on.data.loss", Kind::Choice(&["fail", "continue"]), "records that Kafka no longer has, or cannot give (expired, cut off, corrupt, topic made again): fail halts their partition, continue says exactly which and goes on").default("fail"),
    key("field.map", Kind::Form("pairs source:target separated by commas, a source at most 16 names deep"), "record fields under other names: source:target,...; a source may be nested, as in after.title:title"),
    key("metadata.fields", Kind::Form("pairs source:target separated by commas, where a source is topic, partition, offset, timestamp, key or header.NAME"), "what Kafka knows of a record as fields, source:target,...: topic, partition, offset, timestamp, key, header.NAME"),
    key("key.converter", Kind::Form("JsonConverter, StringConverter or ByteArrayConverter"), "format of the record key, where it is read: StringConverter is text, JsonConverter is JSON; without one, JSON where it holds the primary key, else text"),
    key("key.converter.schemas.enable", Kind::Bool, "must be false, and be said, where key.converter is JsonConverter and the key is read"),
    key("value.converter", Kind::Form("JsonConverter (org.apache.kafka.connect.json.JsonConverter) with value.converter.schemas.enable=false"), "format of the record value: plain JSON").default("JsonConverter"),
    key("value.converter.schemas.enable", Kind::Bool, "must be false, and be said where value.converter is given (Connect's default there is true)").default("false"),
    int("batch.max.rows", (1, 1_000_000), "rows", "rows of one request at most").default("10000"),
    int("batch.max.bytes", (65_536, 58_720_256), "bytes", "encoded bytes of one request at most").default("2097152"),
    int("max.in.flight.requests", (1, 64), "", "requests of one writer under way at once; none of them has a key of another").default("3"),
    int("linger.ms", (0, 60_000), "milliseconds", "how long a row may wait for company, in milliseconds").default("100"),
    int("buffer.max.bytes", (1_048_576, 1_099_511_627_776), "bytes", "bytes held between Kafka and the acknowledgement by Milvus").default("67108864"),
    key("errors.tolerance", Kind::Choice(&["none", "all"]), "a bad record: none halts its partition, all skips and counts it, and keeps it where there is a topic for dead letters").default("none"),
    int("errors.refused.max.consecutive", (1, 1_000_000), "records", "records that Milvus refuses alone, in a row without a success between, before that is taken for the collection's fault and halts their partitions whatever is tolerated").default("100"),
    key("errors.deadletterqueue.topic.name", Kind::Text, "topic that bad records are put into under errors.tolerance=all; made where it is missing, and never read"),
    key("errors.deadletterqueue.topic.replication.factor", Kind::Int { min: -1, max: 32_767, unit: "" }, "replicas of that topic where it is created; -1: the broker's default").default("-1"),
    key("errors.deadletterqueue.context.headers.enable", Kind::Bool, "say in headers (__connect.errors.*) where a dead letter comes from and why").default("false"),
    int("milvus.request.timeout.ms", (100, 600_000), "milliseconds", "one attempt at Milvus, connecting included, in milliseconds; at most half of consumer.session.timeout.ms").default("20000"),
    int("late.landing.grace.ms", (0, MAX_MS), "milliseconds", "how long a request that ended without an answer may still be applied by Milvus: so long nothing newer of its keys is sent, and its partitions are not handed over; default: milvus.request.timeout.ms"),
    int("milvus.retry.backoff.ms", (1, 600_000), "milliseconds", "first wait before an attempt is repeated, in milliseconds; attempts are not limited").default("100"),
    int("milvus.retry.backoff.max.ms", (1, 600_000), "milliseconds", "longest wait before an attempt is repeated, in milliseconds").default("30000"),
    key("milvus.tls.ca.path", Kind::Path, "PEM file of certificate authorities to trust instead of the system's"),
    key("milvus.tls.cert.path", Kind::Path, "PEM file of the client's certificate").later(),
    key("milvus.tls.key.path", Kind::Path, "PEM file of the client's private key").later(),
    key("milvus.tls.server.name", Kind::Text, "name to expect in the server's certificate instead of the endpoint's host"),
    int("offset.flush.interval.ms", (10, MAX_MS), "milliseconds", "how often settled offsets are committed, in milliseconds").default("1000"),
    int("shutdown.timeout.ms", (0, MAX_MS), "milliseconds", "time to write and commit what was read after a request to stop, in milliseconds").default("25000"),
    int("watchdog.timeout.ms", (0, MAX_MS), "milliseconds", "how long the sink may stand still though nothing is in its way, in milliseconds, before the process ends with status 1; after half of it the log has the state; 0: never").default("300000"),
    key("ops.listen", Kind::Form("address:port such as 127.0.0.1:9464, or none"), "address of metrics and health, or none").default("127.0.0.1:9464"),
    int("ops.partitions.max", (0, 1_000_000), "partitions", "assigned partitions that metrics and status name one by one at most; with more, metrics have only the sums; 0: never").default("1000"),
    key("allow.insecure", Kind::Bool, "false refuses to send a credential unencrypted, or to an unverified server, on another host; true warns").default("true"),
    key("log.level", Kind::Choice(&["error", "warn", "info", "debug", "trace"]), "error, warn, info, debug or trace").default("info"),
    key("log.format", Kind::Choice(&["text", "json"]), "text or json").default("text"),
    key("security.protocol", Kind::Choice(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]), "how to talk to Kafka: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL").default("PLAINTEXT"),
    family("sasl.*", "login to Kafka (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512), by Java's or librdkafka's names"),
    family("ssl.*", "TLS to Kafka (PEM trust stores), by Java's or librdkafka's names"),
    family("consumer.*", "further settings of the Kafka consumer, by Java's or librdkafka's names"),
    family("producer.*", "further settings of the Kafka producer that writes dead letters, by Java's or librdkafka's names; producer.bootstrap.servers is another cluster for them"),
    family("admin.*", "further settings of the Kafka admin client that makes the topic of dead letters"),
];

const fn key(name: &'static str, kind: Kind, meaning: &'static str) -> Key {
    Key {
        name,
        kind,
        default: None,
        meaning,
        secret: false,
        built: true,
    }
}

const fn int(
    name: &'static str,
    (min, max): (i64, i64),
    unit: &'static str,
    meaning: &'static str,
) -> Key {
    key(name, Kind::Int { min, max, unit }, meaning)
}

const fn family(name: &'static str, meaning: &'static str) -> Key {
    key(name, Kind::Family, meaning)
}

impl Key {
    const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    const fn later(mut self) -> Self {
        self.built = false;
        self
    }
}
