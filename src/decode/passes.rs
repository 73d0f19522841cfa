//! The two passes over a payload: whatever the fast one takes, the exact one takes with the same result; and what
//! records are like, the fast one takes.

use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message as _;

use crate::bad_record::BadRecord;
use crate::columns::Columns;
use crate::columns::row::Row;
use crate::config::{DeleteWhen, Shaping};
use crate::milvus::proto::schema::FieldData;
use crate::milvus::schema::{FieldType, Schema};
use crate::plan::Plan;
use crate::plan::fixture::{key, map, nullable, schema, shaped};

use super::properties::{every_type, jsonish, payload, row};
use super::{json, scan};

type Pass = fn(&Plan, &mut Row<'_>, &[u8]) -> Result<bool, BadRecord>;

/// All that a pass has to say of a record, with what the columns hold afterwards.
fn outcome(
    plan: &Plan,
    columns: &mut Columns,
    payload: &[u8],
    pass: Pass,
) -> (Result<bool, BadRecord>, bool, usize) {
    let mut row = Row::begin(plan, columns);
    let deletes = pass(plan, &mut row, payload);
    let outcome = deletes.and_then(|deletes| row.end().map(|()| deletes));
    (outcome, columns.has_strayed(), columns.bytes())
}

fn check(plan: &Plan, payloads: &[Vec<u8>]) {
    let (mut fast, mut exact) = (Columns::new(plan), Columns::new(plan));
    for payload in payloads {
        assert_eq!(
            outcome(plan, &mut fast, payload, json::read),
            outcome(plan, &mut exact, payload, json::read_exactly),
            "{}",
            String::from_utf8_lossy(payload)
        );
    }
    assert_eq!(bytes(fast), bytes(exact));
}

/// Several batches in columns that are used again, each beside columns that are new.
fn check_used_again(plan: &Plan, batches: &[(Vec<Vec<u8>>, Vec<bool>)]) {
    let mut used = Columns::new(plan);
    for (payloads, dead) in batches {
        let mut fresh = Columns::new(plan);
        for payload in payloads {
            assert_eq!(
                outcome(plan, &mut used, payload, json::read),
                outcome(plan, &mut fresh, payload, json::read),
            );
        }
        assert_eq!(used.rows(), fresh.rows());
        let fields = used.take_fields(dead);
        let sent = |fields: &[FieldData]| -> Vec<_> {
            fields.iter().map(FieldData::encode_to_vec).collect()
        };
        assert_eq!(sent(&fields), sent(&fresh.into_fields(dead)));
        used.reuse_fields(fields);
        used.truncate(0);
    }
}

/// Bit for bit: two zeros are equal, and their signs may differ.
fn bytes(columns: Columns) -> Vec<Vec<u8>> {
    let fields = columns.into_fields(&[]).into_iter();
    fields.map(|field| field.encode_to_vec()).collect()
}

fn is_taken(plan: &Plan, payload: &str) -> bool {
    let mut columns = Columns::new(plan);
    let mut row = Row::begin(plan, &mut columns);
    scan::read(plan, &mut row, payload).is_some() && row.end().is_ok()
}

const TEXT: FieldType = FieldType::VarChar { max_length: None };

/// Paths, names that go elsewhere and into `$meta`, and a mark of what deletes.
fn shaping_plan() -> Plan {
    let fields = vec![
        key("id", FieldType::Int64),
        nullable("text", TEXT),
        nullable("json", FieldType::Json),
        nullable("vector", FieldType::FloatVector { dim: 2 }),
    ];
    let shaping = Shaping {
        field_map: map(&[("a.b", "text"), ("vector", "kept"), ("v.w", "vector")]),
        delete_when: Some(DeleteWhen {
            field: "op".into(),
            value: "d".into(),
        }),
        ..Shaping::default()
    };
    let schema = Schema {
        dynamic: true,
        ..schema(fields)
    };
    shaped(&schema, shaping).unwrap()
}

fn shaped_pieces() -> impl Strategy<Value = Vec<u8>> {
    let members = vec![
        r#""id":1"#,
        r#""a":{"b":"x"}"#,
        r#""a":{"b":[1,{"c":null}]}"#,
        r#""a.b":"y""#,
        r#""a":"é""#,
        r#""op":"d""#,
        r#""op": "u""#,
        r#""\u006fp":"d""#,
        r#""v" : {"w":[1, 2] }"#,
        r#""vector":[3,4]"#,
        r#""v":{"w":[1,2,3]}"#,
        r#""json":{"d":1}"#,
        r#""json":null"#,
        r#""more":[[]]"#,
        r#""m\n":1"#,
        r#""$meta":{}"#,
        r#""text":"own""#,
        r#""id":"7""#,
        r#""bad":01"#,
        r#""bad":"\x""#,
        r#""half":"\ud800""#,
    ];
    let pick = prop::sample::select(members);
    prop::collection::vec(pick, 0..7)
        .prop_map(|members| format!("{{{}}}", members.join(", ")).into_bytes())
}

/// A byte that goes, comes or is another one; or a piece that stands there twice.
#[derive(Debug, Clone)]
enum Edit {
    Delete,
    Insert(u8),
    Replace(u8),
    Repeat(usize),
}

fn edits() -> impl Strategy<Value = Vec<(Index, Edit)>> {
    let byte =
        || prop::sample::select(b" \n\t{}[]:,\"\\/0123456789-+.eEuntrfals\x01\x80\xc3".to_vec());
    let edit = prop_oneof![
        Just(Edit::Delete),
        byte().prop_map(Edit::Insert),
        byte().prop_map(Edit::Replace),
        (1..40_usize).prop_map(Edit::Repeat),
    ];
    prop::collection::vec((any::<Index>(), edit), 0..4)
}

fn edited(mut payload: Vec<u8>, edits: &[(Index, Edit)]) -> Vec<u8> {
    for (at, edit) in edits {
        if payload.is_empty() {
            break;
        }
        let at = at.index(payload.len());
        match edit {
            Edit::Delete => {
                payload.remove(at);
            }
            Edit::Insert(byte) => payload.insert(at, *byte),
            Edit::Replace(byte) => payload[at] = *byte,
            Edit::Repeat(length) => {
                let end = payload.len().min(at + length);
                let piece = payload[at..end].to_vec();
                payload.splice(at..at, piece);
            }
        }
    }
    payload
}

#[test]
fn the_fast_pass_takes_every_usual_form() {
    let plan = every_type();
    let taken = |members: &str| {
        let payload = format!(r#"{{"id":1,"required":[1,2]{members}}}"#);
        is_taken(&plan, &payload)
    };
    for members in [
        "",
        " \n",
        r#", "text": null, "vector": null, "sparse":null, "json":null, "binary":null, "array":null"#,
        r#","text":"a\n\"\u00e9\ud83d\ude00\/b""#,
        r#","text":"","text2":"","unknown":[{"a":[true,null,"\u00e9"]},-0.5e-3],"n":{}"#,
        r#","text":7,"int16":"7","int32":7.0,"int8":-0,"double":1e-7,"float":17"#,
        r#","vector":[ 0.1 , -2.5e-3 ],"vector8":[-1,1],"binary":[0,255],"float16":[1,2]"#,
        r#","vector":"[1, 2]","binary":"AAA=","float16":"AAAAAA==","bfloat16":"AAAA\/w""#,
        r#","sparse":{},"json":[],"array":[],"structs":[]"#,
        r#","sparse":{"5":0.5, "2" : 1}"#,
        r#","sparse":[[5,0.5]]"#,
        r#","sparse":{"indices":[5],"values":[0.5]}"#,
        r#","sparse":"{\"5\":0.5}""#,
        r#","json":{"a" : [1.0, {}]},"array":[1,2],"structs":[{"i":1,"v":[1,2]}]"#,
        r#","\u006fther":1,"f\u00e9":2"#,
        r#","place":"POINT(1 2)","time":"2024-01-01T00:00:00Z","prose":"x""#,
    ] {
        assert!(taken(members), "{members}");
    }
    for members in [
        ",",
        "}",
        r#","id":2"#,
        r#","text":[]"#,
        r#","text":"\ud800""#,
        r#","vector":[1,2,3]"#,
        r#","vector":[1,1e39]"#,
        r#","sparse":{"1":1,"1":2}"#,
        r#","sparse":{"1":-1}"#,
        r#","unknown":01"#,
        r#","unknown":[1,]"#,
        r#","unknown":{"a"}"#,
        r#","$meta":1"#,
    ] {
        assert!(!taken(members), "{members}");
    }
}

#[test]
fn a_name_means_the_same_wherever_it_comes() {
    let plan = every_type();
    let payloads = [
        r#"{"id":1,"required":[1,2],"x":1,"int16":3}"#,
        r#"{"id":1,"required":[1,2],"x":1,"int16":3}"#,
        r#"{"required":[3,4],"int16":5,"id":2}"#,
        r#"{"id":3,"x":1,"required":[1,2],"\u0078":2,"int16":3}"#,
        r#"{"id":3,"xx":1,"required":[1,2],"int8":2}"#,
        r#"{"int16":"bad","id":4,"required":[1,2]}"#,
        r#"{"int16":9,"id":4,"required":[1,2]}"#,
    ];
    check(&plan, &payloads.map(|payload| payload.as_bytes().to_vec()));
    // More names than are remembered, some of them too long for it, and then fields.
    let other = |index: usize| format!(r#""{}{index}":{index},"#, "n".repeat(index % 200));
    let others: String = (0..600).map(other).collect();
    let many = format!(r#"{{{others}"id":1,"required":[1,2],"int32":7}}"#);
    check(
        &plan,
        &[many.clone().into_bytes(), many.clone().into_bytes()],
    );
    assert!(is_taken(&plan, &many));
}

#[test]
fn levels_are_counted_by_both_passes() {
    let plan = every_type();
    for levels in [1, 126, 127, 128, 129, 100_000] {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        for name in ["json", "other", "array"] {
            let payload = format!(r#"{{"id":1,"required":[1,2],"{name}":{open}{close}}}"#);
            check(&plan, &[payload.into_bytes()]);
            let cut = format!(r#"{{"id":1,"required":[1,2],"{name}":{open}"#);
            check(&plan, &[cut.into_bytes()]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn both_passes_find_the_same(
        batch in prop::collection::vec((row(), edits(), any::<Index>()), 1..5),
        pieces in prop::collection::vec(jsonish(), 1..4),
    ) {
        let plan = every_type();
        let rows = batch.iter().map(|(row, edits, first)| {
            // From another member on, so that the order is never quite the one before.
            let text = payload(&plan, row);
            let members = text.strip_prefix("{\"").unwrap().strip_suffix('}').unwrap();
            let members: Vec<&str> = members.split(", \"").collect();
            let (head, tail) = members.split_at(first.index(members.len()));
            let text = format!("{{\"{}}}", [tail, head].concat().join(", \""));
            edited(text.into_bytes(), edits)
        });
        let payloads: Vec<_> = rows.chain(pieces.clone()).collect();
        check(&plan, &payloads);
    }

    #[test]
    fn columns_that_are_used_again_hold_nothing_of_before(
        batches in prop::collection::vec(
            prop::collection::vec((row(), edits(), any::<bool>()), 0..4), 2..5),
    ) {
        let plan = every_type();
        let batches: Vec<_> = batches.into_iter().map(|batch| {
            let dead = batch.iter().map(|(.., dead)| *dead).collect();
            let payloads = batch.iter().map(|(row, edits, _)| {
                edited(payload(&plan, row).into_bytes(), edits)
            });
            (payloads.collect(), dead)
        }).collect();
        check_used_again(&plan, &batches);
    }

    #[test]
    fn both_passes_take_values_to_the_same_places(
        batch in prop::collection::vec((shaped_pieces(), edits()), 1..6),
    ) {
        let edited = batch.iter().map(|(payload, edits)| edited(payload.clone(), edits));
        let plain = batch.iter().map(|(payload, _)| payload.clone());
        check(&shaping_plan(), &plain.chain(edited).collect::<Vec<_>>());
    }

    #[test]
    fn the_fast_pass_takes_what_fits(row in row()) {
        let plan = every_type();
        prop_assert!(is_taken(&plan, &payload(&plan, &row)));
    }
}
