//! The headers of a message. rdkafka's own reader panics on a name that is not UTF-8, and any producer may send one.
#![allow(
    unsafe_code,
    reason = "rdkafka has no other way to the bytes than the C list itself"
)]

use std::ffi::CStr;
use std::{ptr, slice};

use rdkafka::bindings::rd_kafka_header_get_all;
use rdkafka::message::{BorrowedHeaders, Headers as _};
use rdkafka::types::{RDKafkaHeaders, RDKafkaRespErr};

/// Name and value of each header, in their order; `None` is a null.
pub(super) fn of(
    headers: Option<&BorrowedHeaders>,
) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    let count = headers.map_or(0, |headers| headers.count());
    (0..count).filter_map(move |index| {
        // Its address is the C list's: rdkafka casts that to this type and back.
        let list = ptr::from_ref(headers?).cast::<RDKafkaHeaders>();
        let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the list is borrowed for as long as the results are used, which are places of ours.
        let code =
            unsafe { rd_kafka_header_get_all(list, index, &mut name, &mut value, &mut size) };
        if code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        // SAFETY: after success `name` is a string with a NUL at its end and `value` is null or `size` bytes (rdkafka.h,
        // `rd_kafka_header_get_all`); both live and stay unchanged as long as the list.
        unsafe {
            let name = CStr::from_ptr(name).to_bytes();
            let value = (!value.is_null()).then(|| slice::from_raw_parts(value.cast(), size));
            Some((name, value))
        }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rdkafka::ClientConfig;
    use rdkafka::consumer::{BaseConsumer, Consumer as _};
    use rdkafka::message::{Header, Message as _, OwnedHeaders};
    use rdkafka::mocking::MockCluster;
    use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
    use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn names_that_are_not_text_come_from_a_broker_without_harm() {
        let brokers = MockCluster::new(1).unwrap();
        brokers.create_topic("t", 1, 1).unwrap();
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", brokers.bootstrap_servers());
        let producer: BaseProducer = config.create().unwrap();
        let bytes = vec![0xff, 0xfe];
        // SAFETY: rdkafka only passes its address and length on.
        let key = unsafe { str::from_utf8_unchecked(&bytes) };
        let headers = OwnedHeaders::new()
            .insert::<[u8]>(Header { key, value: None })
            .insert::<[u8]>(Header {
                key: "empty",
                value: Some(b""),
            });
        let record = BaseRecord::<[u8], [u8]>::to("t").payload(b"v");
        producer.send(record.headers(headers)).unwrap();
        producer.flush(LONG).unwrap();

        let consumer: BaseConsumer = config.set("group.id", "g").create().unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_offset("t", 0, Offset::Beginning)
            .unwrap();
        consumer.assign(&list).unwrap();
        let message = consumer.poll(LONG).unwrap().unwrap();
        let found: Vec<_> = of(message.headers()).collect();
        assert_eq!(
            found,
            [(&b"\xff\xfe"[..], None), (b"empty", Some(&b""[..]))]
        );
    }
}
