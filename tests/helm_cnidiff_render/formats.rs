//! Every format against its goldens, and the JSON against its schema.

use helm_cnidiff::comparison::Comparison;
use helm_cnidiff::render::{HumanStyle, SCHEMA, Show, TicketStyle, gitlab, html, human, jira, json, markdown};

use crate::golden;
use crate::hostile::hostile;
use crate::samples::{everything, manifests, same, upgrade};

pub(crate) const PLAIN: HumanStyle = HumanStyle { colour: false, width: 100, ascii: false, show: Show::DEFAULT };
pub(crate) const ALL: Show = Show { all: true, noise: true, ..Show::DEFAULT };

fn goldens(case: &str, comparison: &Comparison) {
    let check = |suffix: &str, text: &str| golden::check(&format!("cnidiff/{case}.{suffix}"), text);
    let human_as = |suffix: &str, style: HumanStyle| check(suffix, &human(comparison, &style));
    human_as("txt", PLAIN);
    human_as("color.txt", HumanStyle { colour: true, ..PLAIN });
    human_as("ascii.txt", HumanStyle { ascii: true, ..PLAIN });
    human_as("all.txt", HumanStyle { show: ALL, ..PLAIN });
    for width in [60, 80, 140] {
        human_as(&format!("{width}.txt"), HumanStyle { width, ..PLAIN });
    }
    check("md", &markdown(comparison, &TicketStyle::GITHUB));
    check("gitlab.md", &gitlab(comparison, &TicketStyle::GITLAB));
    check("jira", &jira(comparison, &TicketStyle::JIRA));
    check("html", &html(comparison, &Show::DEFAULT));
    check("json", &json(comparison));
}

#[test]
fn empty_is_as_recorded() {
    goldens("empty", &Comparison::default());
}

#[test]
fn the_same_twice_is_as_recorded() {
    goldens("same", &same());
}

#[test]
fn two_manifests_are_as_recorded() {
    goldens("manifests", &manifests());
}

#[test]
fn an_upgrade_is_as_recorded() {
    goldens("upgrade", &upgrade());
}

#[test]
fn everything_at_once_is_as_recorded() {
    goldens("everything", &everything());
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    for sample in [upgrade as fn() -> Comparison, everything] {
        let draw = || {
            let c = sample();
            [
                human(&c, &PLAIN),
                markdown(&c, &TicketStyle::GITHUB),
                gitlab(&c, &TicketStyle::GITLAB),
                jira(&c, &TicketStyle::JIRA),
                html(&c, &ALL),
                json(&c),
            ]
        };
        assert_eq!(draw(), draw());
    }
}

fn validator() -> jsonschema::Validator {
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    jsonschema::draft202012::new(&schema).expect("the schema compiles")
}

#[test]
fn json_conforms_to_its_schema() {
    let validator = validator();
    for comparison in [Comparison::default(), same(), manifests(), upgrade(), everything(), hostile()] {
        let value: serde_json::Value = serde_json::from_str(&json(&comparison)).expect("valid JSON");
        let problems: Vec<String> =
            validator.iter_errors(&value).map(|problem| format!("{}: {problem}", problem.instance_path())).collect();
        assert_eq!(problems, Vec::<String>::new());
    }
}

#[test]
fn json_that_is_off_does_not_conform() {
    let validator = validator();
    let good: serde_json::Value = serde_json::from_str(&json(&everything())).expect("valid JSON");
    let mutations: &[(&str, serde_json::Value)] = &[
        ("/schema", 2.into()),
        ("/result", "good".into()),
        ("/verdict/risks", (-1).into()),
        ("/verdict/unknown", "no".into()),
        ("/verdict/restarts/0/at_once", 5.into()),
        ("/notes/0/level", "fatal".into()),
        ("/notes/0/id", "Not An Id".into()),
        ("/notes/1/old", "cilium".into()),
        ("/values/overrides/0/state", "odd".into()),
        ("/values/modes/chosen", "other".into()),
        ("/values/images/0/old", "quay.io".into()),
        ("/objects/0/section", "else".into()),
        ("/objects/0/change", "edited".into()),
        ("/objects/0/fields/0/kind", "moved".into()),
        ("/objects/0/fields/3/old", serde_json::json!({"secret": "the whole of it"})),
        ("/objects/0/fields/3/new", serde_json::json!({"secret": "5e6f7081", "value": 1})),
        ("/objects/0/object/kind", 1.into()),
        ("/counts/0/added", 1.5.into()),
        ("/noise/0/hits/0/path", 1.into()),
        ("/provenance/rendered/how", "magic".into()),
        ("/extra", 1.into()),
    ];
    for (pointer, value) in mutations {
        let mut bad = good.clone();
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer has a slash");
        match bad.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}")) {
            serde_json::Value::Array(items) => items[key.parse::<usize>().expect("an index")] = value.clone(),
            parent => parent[key] = value.clone(),
        }
        assert!(!validator.is_valid(&bad), "{pointer} = {value}");
    }
    for field in good.as_object().expect("an object").keys() {
        let mut bad = good.clone();
        bad.as_object_mut().expect("an object").remove(field);
        assert!(!validator.is_valid(&bad), "without {field}");
    }
}
