//! The metadata of committed offsets. rdkafka's own reader panics on bytes that are not UTF-8, and any client of the
//! group may have committed such. And the leader's epoch of an offset, which it does not wrap.
#![allow(
    unsafe_code,
    reason = "rdkafka has no other way to the bytes than the C list itself"
)]

use std::slice;

use rdkafka::bindings::{
    rd_kafka_topic_partition_get_leader_epoch, rd_kafka_topic_partition_set_leader_epoch,
};
use rdkafka::topic_partition_list::TopicPartitionList;

/// Says of which leader's epoch the record before the offset of element `index` is.
pub(super) fn set_epoch(list: &mut TopicPartitionList, index: usize, epoch: i32) {
    if index < list.count() {
        // SAFETY: as in `text`; the list is ours to change.
        unsafe {
            rd_kafka_topic_partition_set_leader_epoch((*list.ptr()).elems.add(index), epoch);
        }
    }
}

/// For each element of `list`, in order: the epoch that was committed with it.
pub(super) fn epochs(list: &TopicPartitionList) -> Vec<Option<i32>> {
    let epoch = |index| {
        // SAFETY: as in `text`; `index` is below `count`.
        let epoch =
            unsafe { rd_kafka_topic_partition_get_leader_epoch((*list.ptr()).elems.add(index)) };
        (epoch >= 0).then_some(epoch)
    };
    (0..list.count()).map(epoch).collect()
}

/// For each element of `list`, in order: its metadata, where it has some that is text.
pub(super) fn texts(list: &TopicPartitionList) -> Vec<Option<String>> {
    (0..list.count()).map(|index| text(list, index)).collect()
}

fn text(list: &TopicPartitionList, index: usize) -> Option<String> {
    if index >= list.count() {
        return None;
    }
    // SAFETY: `list` owns the C list and is borrowed until the bytes are copied, so nobody frees or changes it.
    // librdkafka keeps `elems` an array of `cnt` elements, and `index` is below `cnt` (`count` is `cnt`).
    let element = unsafe { &*(*list.ptr()).elems.add(index) };
    if element.metadata.is_null() || element.metadata_size == 0 {
        return None;
    }
    // SAFETY: where it is not null, `metadata` points to `metadata_size` bytes that belong to the element (rdkafka.h,
    // `rd_kafka_topic_partition_s`).
    let bytes =
        unsafe { slice::from_raw_parts(element.metadata.cast::<u8>(), element.metadata_size) };
    String::from_utf8(bytes.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rdkafka::ClientConfig;
    use rdkafka::consumer::{BaseConsumer, Consumer as _};
    use rdkafka::mocking::MockCluster;
    use rdkafka::topic_partition_list::Offset;
    use testkit::kafka::Topic;

    use super::*;

    #[test]
    fn metadata_is_read_where_it_is_text_and_other_bytes_do_no_harm() {
        let mut list = TopicPartitionList::new();
        list.add_partition("t", 0);
        list.add_partition("t", 1).set_metadata("grüße");
        list.add_partition("t", 2).set_metadata("");
        list.add_partition("t", 3).set_metadata("overwritten");
        // SAFETY: the list has four elements, and the last one's metadata is longer than one byte.
        unsafe { *(*(*list.ptr()).elems.add(3)).metadata.cast::<u8>() = 0xff };
        assert_eq!(texts(&list), [None, Some("grüße".to_owned()), None, None]);
        assert_eq!(texts(&TopicPartitionList::new()), []);
        assert_eq!(text(&list, 4), None);
    }

    /// Kafka's own broker mends such bytes when they are committed; others, as the mock, keep them.
    #[test]
    fn bytes_that_are_not_text_come_from_a_broker_without_harm() {
        let brokers = MockCluster::new(1).unwrap();
        brokers.create_topic("t", 2, 1).unwrap();
        let topic = Topic::existing(&brokers.bootstrap_servers(), "t", 2);
        topic.put_commit("g", 0, 5, b"\xff\xfe");
        topic.put_commit("g", 1, 6, b"ours");
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", brokers.bootstrap_servers());
        let client: BaseConsumer = config.set("group.id", "g").create().unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_range("t", 0, 1);
        let found = client.committed_offsets(list, Duration::from_secs(20));
        let found = found.unwrap();
        let offsets: Vec<Offset> = found.elements().iter().map(|e| e.offset()).collect();
        assert_eq!(offsets, [Offset::Offset(5), Offset::Offset(6)]);
        assert_eq!(texts(&found), [None, Some("ours".to_owned())]);
        // SAFETY: the list has two elements.
        let size = unsafe { (*(*found.ptr()).elems).metadata_size };
        assert_eq!(size, 2, "the broker has mended them");
    }
}
