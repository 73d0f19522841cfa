//! Keys, names of columns, and the dynamic field.

use serde_json::json;

use super::super::Key;
use super::*;

#[test]
fn a_request_has_rows_and_each_column_once() {
    let field = base().scalar("f", Type::Int64);
    check(
        &field,
        &[longs("f", &[1, 2]), longs("f", &[1, 2])],
        [INVALID; 5],
    );
    check(
        &field,
        &[longs("f", &[1, 2]), longs("x", &[1, 2])],
        [INVALID; 5],
    );
    check(
        &base().varchar("t", 9).bm25("t", "f"),
        &[named(texts(Type::VarChar, &["a", "b"]), "t")],
        [NO, OK, OK, OK, OK],
    );
    let output = base().scalar("f", Type::Int64);
    let mut output = output.schema();
    output.fields[1].is_function_output = true;
    let columns = [longs("id", &[1]), longs("f", &[1])];
    for (rows, columns) in [(1, &columns[..]), (0, &columns[..1])] {
        let request = Request {
            generation: Generation::V3_0,
            schema: &output,
            columns,
            rows,
            replaces: false,
        };
        assert_eq!(request.read(|| 0).unwrap_err().code, 1100);
    }
}

/// Keys and replaced keys, or the code.
fn keys(
    generation: Generation,
    collection: &Collection,
    columns: &[FieldData],
    replaces: bool,
) -> Result<Vec<[Key; 2]>, i32> {
    let rows = read(generation, collection, columns, 2, replaces).unwrap();
    let rows = rows.map_err(|refusal| refusal.code)?;
    Ok(rows
        .into_iter()
        .map(|row| [row.key, row.replaced])
        .collect())
}

#[test]
fn a_key_is_there_and_an_upsert_names_it_once() {
    let twice = [longs("id", &[1, 1])];
    for generation in Generation::ALL {
        let upsert = keys(generation, &base(), &twice, true);
        let refuses = generation >= Generation::V2_6;
        assert_eq!(upsert.err(), refuses.then_some(1100), "{generation:?}");
        assert!(keys(generation, &base(), &twice, false).is_ok());
        assert!(keys(generation, &base(), &[], false).is_err());
    }
}

#[test]
fn milvus_makes_the_keys_of_an_auto_id_collection() {
    let auto = base().auto_id();
    let allowed = base().auto_id().property("allow_insert_auto_id", "true");
    let brought = [longs("id", &[1, 2])];
    let same = |a: i64, b: i64| vec![[Key::Int(a), Key::Int(a)], [Key::Int(b), Key::Int(b)]];
    for generation in Generation::ALL {
        assert_eq!(keys(generation, &auto, &[], false), Ok(same(101, 102)));
        assert_eq!(keys(generation, &auto, &brought, false), Err(1100));
        let takes = generation >= Generation::V2_6;
        let expected = if takes { Ok(same(1, 2)) } else { Err(1100) };
        assert_eq!(keys(generation, &allowed, &brought, false), expected);
        assert_eq!(keys(generation, &allowed, &[], false), Ok(same(101, 102)));
    }
    // An upsert names a row and gives it another key.
    let moved = vec![[Key::Int(101), Key::Int(1)], [Key::Int(102), Key::Int(2)]];
    assert_eq!(keys(Generation::V3_0, &auto, &brought, true), Ok(moved));
    assert_eq!(keys(Generation::V3_0, &auto, &[], true), Err(1100));
    let text = Collection::new("c").varchar_key("id", 2).auto_id();
    let made = keys(Generation::V3_0, &text, &[], false).unwrap();
    assert_eq!(made[0][0], Key::Text("101".to_owned()));
}

fn meta(data: &[&str]) -> FieldData {
    FieldData {
        is_dynamic: true,
        ..named(jsons(data), "$meta")
    }
}

#[test]
fn the_dynamic_column_holds_objects_without_static_names() {
    let dynamic = base().dynamic();
    check(&dynamic, &[meta(&["{}", r#"{"a":[1]}"#])], [OK; 5]);
    check(&dynamic, &[], [OK; 5]);
    check(&dynamic, &[named(meta(&["{}", "{}"]), "")], [OK; 5]);
    check(
        &dynamic,
        &[named(jsons(&["{}", "{}"]), "$meta")],
        [INVALID; 5],
    );
    check(&base(), &[meta(&["{}", "{}"])], [INVALID; 5]);
    check(
        &dynamic,
        &[valid(meta(&["{}", "{}"]), &[true, true])],
        [OK, OK, INVALID, INVALID, INVALID],
    );
    check(
        &dynamic,
        &[meta(&["{}", "[1]"])],
        [BARE, IO, IO, INVALID, INVALID],
    );
    check(
        &dynamic,
        &[meta(&["{}", "null"])],
        [BARE, IO, IO, INVALID, INVALID],
    );
    check(
        &dynamic,
        &[meta(&["{}", r#"{"$meta":1}"#])],
        [BARE, BARE, BARE, INVALID, INVALID],
    );
    check(
        &dynamic,
        &[meta(&["{}", r#"{"id":1}"#])],
        [OK, BARE, BARE, INVALID, INVALID],
    );
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(65_536));
    check(&dynamic, &[meta(&["{}", &long])], [INVALID; 5]);

    let columns = [longs("id", &[1, 2]), meta(&["{ }", r#"{"a": 1}"#])];
    let rows = read(Generation::V3_0, &dynamic, &columns, 2, false)
        .unwrap()
        .unwrap();
    assert_eq!(
        (&rows[1].row["$meta"], &*rows[1].json["$meta"]),
        (&json!({"a": 1}), r#"{"a": 1}"#)
    );
    let rows = read(Generation::V3_0, &dynamic, &columns[..1], 2, false)
        .unwrap()
        .unwrap();
    assert_eq!(rows[0].row["$meta"], json!({}));
}
