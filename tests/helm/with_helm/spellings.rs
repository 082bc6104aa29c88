//! Every spelling of YAML that differs between readers, read by helm and by us.

use helm_cnidiff::yaml;
use serde_json::Value;

use crate::{Folder, Helm};

/// Scalars, each written behind `v: `.
const SCALARS: &[&str] = &[
    "y", "Y", "n", "N", "yes", "Yes", "YES", "yEs", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", "true", "True",
    "TRUE", "tRUE", "false", "False", "FALSE", "~", "null", "Null", "NULL", "nULL", "", "''", "\"\"", "'yes'", "\"on\"",
    "0", "-0", "+0", "00", "07", "0755", "0o755", "0O755", "08", "09", "0790", "1_000", "1__000", "_1", "1_", "0_7", "0x1F", "0X1f", "-0x1F", "0x", "0xg",
    "0x_1", "0b11", "0B11", "-0b11", "0b", "0b12", "0b-11", "0b+11", "-0b-11", "1e3", "1E3", "1e+3", "1e-3", "1e", "e3", "1.", "1.0", "1.5", ".5", "-.5", "+.5",
    ".", "..", "1.2.3", "1..2", ".5e3", "._5", ".5_0", "1.5_0", "1e400", "-1e400", "1e-400", ".inf", "-.inf", "+.inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", "inf", "nan",
    "Infinity", "0x1p-2", "+5", "-5", "+-5", "--5", "+", "-a", "9007199254740993", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "-9223372036854775809", "+9223372036854775808", "18446744073709551615", "18446744073709551616", "1000000000000000000000", "1e21",
    "123456789012345678901234567890", "1:30", "190:20:30", "1:30.5", "2001-12-14", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43", "2001-1-1",
    "2001-13-01", "12:30", "1,000", "1 000", "0.1", "1.10", "1.18.4", "v1.18.4", "=", "<<x", "!!str 123", "!!str yes", "!!str", "!!int \"5\"", "!!int 0x10", "!!int x", "!!float 5",
    "!!float 1.5", "!!float x", "!!bool yes", "!!bool \"yes\"", "!!bool x", "!!null x", "!!null ''", "!!binary aGVsbG8=", "!!binary '!'", "! yes", "! 'yes'", "!own yes", "!own 5",
    "!!timestamp 2001-12-14", "!!timestamp x", "\"a\\tb\"", "\"\\u00fc\\x41\\n\"", "'it''s'", "a: b", "a:b", "a #b", "a#b", "\"a #b\"", "[a, b", "{a: b", "[a, b]", "[a, yes, 0755, ~]",
    "{a: yes, 0755: b}", "[a,, b]", "[a, b,]", "{a, b}", "{a: }", "[]", "{}", "[[], {}]", "@a", "`a", "%a", "&", "*", "&a", "&a b", "*a", "|", ">", "-", "- a", "? a", ": a", "!", "\u{e9}",
    "a\u{a0}b", "\u{feff}a", "\"\\/\"", "'\\n'", "\"\\q\"", "a  b", "a\tb", "\ta", "a\t", "C:\\dir", "http://a/b?c=d", "--flag=1", "*.example.com", "{{ x }}", "null ", "yes # really", "0777 # octal",
];

/// Whole documents.
const DOCUMENTS: &[&str] = &[
    "", "# nothing\n", "---\n", "a: 1\n", "a: 1", "a: 1\n...\n", "--- a\n", "---\na: 1\n---\nb: 2\n", "a: 1\na: 2\n", "a: {b: 1, b: 2}\n",
    "y: 1\n", "yes: 1\nno: 2\n", "on: 1\n", "1: a\n", "0755: a\n", "1.5: a\n", "1e3: a\n", "1e10: a\n", "1000000.0: a\n", "0.00001: a\n", "100000.5: a\n", "~: a\n", "null: a\n", "? [a]\n: b\n", "? {a: b}\n: c\n", "2001-01-01: a\n",
    "18446744073709551615: a\n", "? a\n: b\n", "? |\n  a\n: b\n", "\"a b\": 1\n", "'': 1\n", "a:\n- b\n- c\n", "a:\n  - b\n  -   - c\n      - d\n", "a:\n    b: 1\n    c: 2\n", "a:\n  b: 1\n c: 2\n",
    "a: |\n  x\n  y\n", "a: |-\n  x\n", "a: |+\n  x\n\n\nb: 1\n", "a: |\n  x", "a: >\n  x\n  y\n\n  z\n", "a: >-\n  x\n    y\n  z\n", "a: |2\n    x\n", "a: |\n\n  x\n", "a: |\n  x\n # c\n", "a: >\n\n  x\n\n", "a: x\n  y\n", "a: \"x\n  y\"\n", "a: 'x\n\n  y'\n", "a: \"x \\\n  y\"\n",
    "a: &x 1\nb: *x\n", "a: &x {b: 1}\nc: *x\n", "a: &x [1, 2]\nb: [*x, *x]\n", "a: *x\nb: &x 1\n", "a: &x\n  b: *x\n", "a: &x 1\nb: &x 2\nc: *x\n", "&x a: 1\nb: *x\n", "a: &x k\n*x : 1\n",
    "a: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}\n", "a: &x {b: 1, c: 2}\nd: {b: 3, <<: *x}\n", "a: &x {b: 1}\ne: &y {b: 2, c: 3}\nd: {<<: [*x, *y]}\n", "d: {<<: {b: 1}}\n", "d: {<<: 1}\n", "d: {<<: [1]}\n", "d: {<<: ~}\n", "d: {\"<<\": 1}\n", "d: {!!merge <<: {a: 1}}\n", "a: &x {b: {c: 1}}\nd: {<<: *x, b: {e: 2}}\n", "a: &x {<<: {q: 1}, r: 2}\nd: {<<: *x}\n",
    "\u{feff}a: 1\n", "a: 1\r\nb: 2\r\n", "a: |\r\n  x\r\n  y\r\n", "a: 1\rb: 2\r", "a:\tb\n", "a:\n\tb: 1\n", "a: [1,\n\t2]\n", "a:\n  - b\n\t- c\n", "a: 1\t# c\n", "\ta: 1\n", "a: 1 \nb: 2  \n", "%YAML 1.1\n---\na: 1\n", "%YAML 1.2\n---\na: yes\n", "%TAG ! tag:x,2000:\n---\na: !b c\n",
    "a: 1\nb\n", "a\n", "- a\n", "[a]\n", "a: b: c\n", "a: [b\n", "a: {b\n", "a: 'b\n", "a: \"b\n", "a: 1\n  b: 2\n", "  a: 1\n  b: 2\n", "a:\n- b\nc: d\n", "a: -\n", "a: - b\n", "-a: b\n", "- a: b\n  c: d\n", "a:b\n", "{a: 1}\n", "{\"a\": \"b\", \"c\": [1, 2.0, true, null]}\n", "{\"a\":1,\"b\":\"\\ud83d\\ude00\"}\n", "{a: 1, a: 2}\n", "a: \u{1}\n", "a: \"\\0\"\n", "a: \u{85}\n", "a: b\u{2028}c\n",
    "a: !!set {b, c}\n", "a: !!omap [b: 1]\n", "a: !!map {b: 1}\n", "a: !!seq [1]\n", "!!map {a: 1}\n", "a: !own {b: 1}\n", "a: !!str\nb: 1\n", "a: !<tag:yaml.org,2002:str> 5\n", "a: !!python/object:x {b: 1}\n",
    "a: 1 # c\n# d\nb: 2\n", "a: # c\n  b: 1\n", "a: '# no comment'\n", "#a: 1\nb: 2\n", "a:\n# c\n- b\n", "a: x#y\n", "a: \"x\"#y\n",
];

/// Where we differ, and how: none of it can be met in what helm renders or stores, since helm itself writes or reads it
/// first. Each is held here so that it is known and stays so.
const READ_BY_US_ALONE: &[&str] = &[
    "v: \"\\/\"\n",
    "\"\\/\": v\n",
    "\ta: v\n",
    "\ta: 1\n",
    "%YAML 1.2\n---\na: yes\n",
    "{\"a\":1,\"b\":\"\\ud83d\\ude00\"}\n",
];
const READ_BY_HELM_ALONE: &[&str] = &["{}: v\n", "a: \"x\"#y\n"];

#[test]
fn yaml_is_read_as_helm_reads_it() {
    let mut texts: Vec<String> = SCALARS.iter().map(|scalar| format!("v: {scalar}\n")).collect();
    texts.extend(SCALARS.iter().filter(|scalar| !scalar.is_empty()).map(|scalar| format!("{scalar}: v\n")));
    texts.extend(DOCUMENTS.iter().map(|text| (*text).to_owned()));
    let chart = Folder::new("spellings");
    chart.write("Chart.yaml", "apiVersion: v2\nname: spellings\nversion: 1.0.0\n");
    // Helm reads each text and says what it is; in base64, so that nothing in between can matter.
    chart.write(
        "templates/all.yaml",
        "{{ range $path, $text := .Files.Glob \"cases/*\" }}{{ base $path }}: {{ $.Files.Get $path | fromYaml | toJson | b64enc }}\n{{ end }}",
    );
    for (number, text) in texts.iter().enumerate() {
        chart.write(&format!("cases/c{number}"), text);
    }
    for helm in Helm::both() {
        let printed = helm.run(&["template", "x", chart.text()]);
        let printed = yaml::read_map(printed.as_bytes()).unwrap().0;
        assert_eq!(printed.len(), texts.len());
        let mut wrong = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            let json = base64(printed[&format!("c{number}")].as_str().unwrap());
            let theirs: Value = serde_json::from_str(&json).unwrap();
            let ours = yaml::read_map(text.as_bytes()).map(|(map, _)| Value::Object(map)).map_err(|error| error.to_string());
            let refused = theirs.get("Error").and_then(Value::as_str).filter(|_| theirs.as_object().unwrap().len() == 1);
            let agree = match (&ours, refused) {
                (Err(_), Some(_)) => true,
                (Ok(_), Some(_)) => READ_BY_US_ALONE.contains(&text.as_str()),
                (Err(_), None) => READ_BY_HELM_ALONE.contains(&text.as_str()),
                (Ok(ours), None) => same(ours, &theirs),
            };
            if !agree {
                wrong.push(format!("{text:?}\n   {}: {json}\n   ours: {ours:?}", helm.name));
            }
        }
        assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), texts.len(), wrong.join("\n"));
    }
}

/// Helm keeps numbers of values as floats, so large whole numbers are compared as such.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w))),
        _ => a == b,
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).unwrap()).unwrap()
}
