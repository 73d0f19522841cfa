//! Whether all ways lead to the same request: before they are compared, and in the tests.

use prost::Message as _;
use serde_json::Value;
use testkit::proto::milvus::InsertRequest;
use testkit::proto::schema::{field_data, scalar_field};
use testkit::workload::Workload;

use crate::corpus::Corpus;
use crate::peers::{Tree, Visitor};
use crate::sink::Sink;

/// Panics where a peer makes another request of the records than the sink does.
pub fn assert_same(corpus: &Corpus) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    Sink::new(corpus).run(&mut ours);
    Visitor::new(corpus).run(&mut theirs);
    let workload = corpus.workload;
    assert!(ours == theirs, "{workload}: another request by the visitor");
    Tree::new(corpus).run(&mut theirs);
    // Of JSON as it was written a tree knows nothing: its members are sorted and its spaces gone.
    if workload == Workload::WJ {
        (ours, theirs) = (sorted(&ours), sorted(&theirs));
    }
    assert!(ours == theirs, "{workload}: another request by the tree");
}

/// The request with its JSON as a tree prints it.
fn sorted(request: &[u8]) -> Vec<u8> {
    let mut request = InsertRequest::decode(request).expect("a request");
    for field in &mut request.fields_data {
        if let Some(field_data::Field::Scalars(scalars)) = &mut field.field
            && let Some(scalar_field::Data::JsonData(json)) = &mut scalars.data
        {
            for text in &mut json.data {
                let value: Value = serde_json::from_slice(text).expect("JSON");
                *text = serde_json::to_vec(&value).expect("JSON");
            }
        }
    }
    request.encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ways_lead_to_the_same_request() {
        for workload in Workload::ALL {
            assert_same(&Corpus::of(workload, 30));
        }
    }
}
