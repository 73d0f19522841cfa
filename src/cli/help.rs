//! What `--help` says beside the options.

pub(super) const ABOUT: &str = "Reads Kafka topics into Milvus (or Zilliz Cloud) collections. An offset is committed only when Milvus has the row.";

pub(super) const USAGE: &str = "kafka-milvus-sink [run] [OPTIONS] [FILE]...
       kafka-milvus-sink check [OPTIONS] [FILE]...
       kafka-milvus-sink verify [OPTIONS] [FILE]...
       kafka-milvus-sink offsets [OPTIONS] [FILE]...";

pub(super) const COMMANDS: &str = "\
Commands:
  run      Run the sink (also without the word)
  check    Read the configuration, connect, judge records, print what would happen; writes nothing
  verify   Read the topics once more, compare the rows of Milvus with what they say; writes nothing
  offsets  Show what the consumer group has committed and what is left; set it while nobody reads

Files:
  Java .properties files with the sink's keys. The two files of a Kafka Connect worker and
  connector work as they are. Later files win over earlier ones.";

pub(super) const AFTER: &str = "\
Environment:
  Every key is also a variable: MILVUS_SINK_ and the key in upper case, '.' as '_'
  (linger.ms: MILVUS_SINK_LINGER_MS). Variables win over files, --set wins over variables.
  Give secrets as variables (MILVUS_SINK_TOKEN) or in files, not on the command line.

Examples:
  kafka-milvus-sink milvus-sink.properties
  kafka-milvus-sink connect-standalone.properties milvus-sink-connector.properties
  kafka-milvus-sink check milvus-sink.properties
  kafka-milvus-sink verify --since 1h milvus-sink.properties
  kafka-milvus-sink offsets --to earliest milvus-sink.properties
  kafka-milvus-sink --set name=news --set topics=news --set public.endpoint=http://localhost:19530

Exit status:
  0  asked to stop, or the end reached: everything read is in Milvus and committed
  1  a failure, or not everything could be finished: starting again is safe and may help;
     verify: rows differ, or not all could be compared
  2  the command line or the configuration is wrong: starting again ends here again
  3  every partition stands at a record or a condition that needs a person";

pub(super) const TEMPLATE: &str =
    "{about}\n\nUsage: {usage}\n\n{before-help}Options:\n{options}{after-help}";
