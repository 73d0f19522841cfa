//! The metadata of committed offsets. rdkafka's own reader panics on bytes that are not UTF-8, and any client of the
//! group may have committed such.
#![allow(
    unsafe_code,
    reason = "rdkafka has no other way to the bytes than the C list itself"
)]

use std::slice;

use rdkafka::topic_partition_list::TopicPartitionList;

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
}
