use serde_json::json;

use super::*;

fn one(text: &str) -> Value {
    let mut documents = read(text.as_bytes()).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!(documents.len(), 1, "{text:?}");
    documents.remove(0).value
}

fn fails(text: &[u8]) -> YamlError {
    read(text).expect_err(&String::from_utf8_lossy(text))
}

#[test]
fn documents_know_their_lines() {
    let documents = read(b"# head\na: 1\n---\n# nothing\n---\nb: 2\n...\n---\n- c\n").unwrap();
    let seen: Vec<_> = documents.iter().map(|d| (d.line, d.value.clone())).collect();
    assert_eq!(seen, [(2, json!({"a": 1})), (3, Value::Null), (5, json!({"b": 2})), (8, json!(["c"]))],);
    assert!(read(b"").unwrap().is_empty());
    assert!(read(b"# only a comment\n").unwrap().is_empty());
}

#[test]
fn the_last_of_two_keys_counts_and_says_so() {
    let documents = read(b"a: 1\nb:\n  c: 1\n  c: 2\na: 3\n").unwrap();
    assert_eq!(documents[0].value, json!({"a": 3, "b": {"c": 2}}));
    let lines: Vec<_> = documents[0].warnings.iter().map(|odd| odd.line).collect();
    assert_eq!(lines, [4, 5]);
}

#[test]
fn merges_win_over_what_stands_before_them_only() {
    let text = "base: &b {x: 1, y: 2}\nbefore: {x: 9, <<: *b}\nafter: {<<: *b, x: 9}\nlist: {<<: [{x: 3}, *b]}\n";
    let value = one(text);
    assert_eq!(value["before"], json!({"x": 1, "true": 2}));
    assert_eq!(value["after"], json!({"x": 9, "true": 2}));
    assert_eq!(value["list"], json!({"x": 3, "true": 2}));
    assert_eq!(one("\"<<\": {a: 1}"), json!({"<<": {"a": 1}}));
    assert!(fails(b"<<: 1").what.contains("merges a map"));
}

#[test]
fn an_error_names_its_place() {
    let cases: [(&[u8], usize, usize); 5] = [
        (b"a: 1\nb: [1, 2\nc: 3\n", 3, 2),
        (b"a:\n\tb: 1\n", 2, 2),
        (b"a: \xff\n", 1, 4),
        (b"x: 1\ny: .inf\n", 2, 4),
        (b"? {a: 1}\n: 2\n", 1, 3),
    ];
    for (text, line, column) in cases {
        let error = fails(text);
        assert_eq!((error.line, error.column), (line, column), "{} for {:?}", error, String::from_utf8_lossy(text));
    }
}

#[test]
fn bombs_are_refused_and_depth_is_bounded() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (of, to) in ('a'..='h').zip('b'..='i') {
        bomb += &format!("{to}: &{to} [*{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}]\n");
    }
    assert!(fails(bomb.as_bytes()).what.contains("excessive aliasing"));
    assert!(read("[".repeat(100_000).as_bytes()).is_err());
    assert!(read("- ".repeat(100_000).as_bytes()).is_err());
    assert!(fails(b"a: &a [*a]").what.contains("inside what it names"));
    assert!(read(b"a: *nowhere").is_err());
}

#[test]
fn texts_in_utf_16_and_behind_a_byte_order_mark_are_read() {
    let mut wide = vec![0xff, 0xfe];
    wide.extend("a: ü\r\n".encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(read(&wide).unwrap()[0].value, json!({"a": "ü"}));
    assert_eq!(one("\u{feff}a: 1\r\nb: 2\r\n"), json!({"a": 1, "b": 2}));
}

#[test]
fn a_values_file_is_one_map() {
    assert_eq!(read_map(b"").unwrap().0, Map::new());
    assert_eq!(read_map(b"a: 1\n---\nb: 2\n").unwrap().0, json!({"a": 1}).as_object().cloned().unwrap());
    assert_eq!(
        read_map(b"\n- a\n").unwrap_err().to_string(),
        "line 2, column 1: a map is expected here, this is a list"
    );
}
