use serde_json::json;

use super::*;
use crate::comparison::Step;

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn chart(values: Value) -> Chart {
    Chart { values: map(values), ..Chart::default() }
}

fn old() -> Chart {
    chart(json!({
        "same": 1, "changed": 1, "gone": true, "moved": {"here": 1}, "open": {}, "nothing": null, "shape": "x", "table": {"a": 1},
        "image": {"repository": "quay.io/x", "tag": "v1", "digest": "sha256:1", "pullPolicy": "Always"},
        "list": [1], "deep": {"a": 1, "b": 2},
    }))
}

fn new() -> Chart {
    chart(json!({
        "same": 1, "changed": 2, "moved": {"there": 1}, "open": {}, "nothing": null, "shape": {"y": 1}, "table": 5,
        "image": {"repository": "quay.io/x", "tag": "v2", "digest": "sha256:2", "pullPolicy": "Always"},
        "list": [1, 2], "deep": {"a": 1, "b": 3, "c": 4},
    }))
}

fn compared(config: Value, templates: &str, renames: &[Rename]) -> Compared {
    let (old, new, config) = (old(), new(), map(config));
    let case = Case { old: &old, new: &new, templates, before: &config, config: &config, renames };
    compare(&case, None, &Redactor::new(false, [&json!("key")]))
}

fn states(config: Value) -> Vec<(String, OverrideState)> {
    let rename = Rename { from: "moved.here".into(), to: "moved.there".into(), note: Some("why".into()) };
    let templates = "{{ .Values.undocumented.key }} {{ toYaml .Values.around }}";
    let found = compared(config, templates, &[rename]).values.overrides;
    found.into_iter().map(|found| (found.path.to_string(), found.state)).collect()
}

#[test]
fn each_override_is_told_for_what_it_is() {
    let shown = |value: Value| Shown::Value(value);
    let cases = [
        (json!({"same": 1}), Some(OverrideState::EqualsDefault)),
        (json!({"same": 1.0}), Some(OverrideState::EqualsDefault)),
        (json!({"same": 5}), None),
        (json!({"changed": 2}), Some(OverrideState::EqualsDefault)),
        (
            json!({"changed": 9}),
            Some(OverrideState::Pins { old_default: shown(json!(1)), new_default: shown(json!(2)) }),
        ),
        (
            json!({"changed": null}),
            Some(OverrideState::Pins { old_default: shown(json!(1)), new_default: shown(json!(2)) }),
        ),
        (json!({"gone": false}), Some(OverrideState::Unread)),
        (json!({"never": 1}), Some(OverrideState::Unread)),
        (json!({"undocumented": {"key": 1}}), None),
        (json!({"around": {"key": 1}}), None),
        (json!({"moved": {"here": 5}}), Some(OverrideState::Renamed { to: FieldPath::keys(["moved", "there"]) })),
        (json!({"open": {"mine": 1}}), None),
        (json!({"nothing": {"mine": 1}}), None),
        (json!({"nothing": "text"}), None),
        (json!({"shape": "z"}), Some(OverrideState::BecameMap)),
        (json!({"table": {"a": 2}}), Some(OverrideState::TypeChanged { from: "map", to: "number" })),
        (
            json!({"list": [3]}),
            Some(OverrideState::Pins { old_default: shown(json!([1])), new_default: shown(json!([1, 2])) }),
        ),
    ];
    for (config, expected) in cases {
        let found = states(config.clone());
        let state = found.first().map(|(_, state)| state.clone());
        assert_eq!((state, found.len()), (expected.clone(), usize::from(expected.is_some())), "{config}");
    }
}

#[test]
fn defaults_change_only_where_the_user_sets_nothing() {
    let paths = |config| -> Vec<String> {
        compared(config, "", &[]).values.defaults.iter().map(|change| change.path.to_string()).collect()
    };
    assert_eq!(paths(json!({})), ["changed", "deep.b", "list", "shape", "table"]);
    assert_eq!(paths(json!({"changed": 5, "deep": {"b": null}, "list": []})), ["shape", "table"]);
    assert_eq!(paths(json!({"deep": "off", "shape": {"y": 2}, "table": null})), ["changed", "list"]);
}

#[test]
fn images_are_one_line_and_no_defaults() {
    let values = compared(json!({}), "", &[]).values;
    let image =
        |tag: &str, digest: &str| Image { repository: "quay.io/x".into(), tag: tag.into(), digest: digest.into() };
    let expected =
        ImageChange { path: FieldPath::keys(["image"]), old: image("v1", "sha256:1"), new: image("v2", "sha256:2") };
    assert_eq!(values.images, [expected]);
    // The user's own image stays, so nothing changes there.
    let own = compared(json!({"image": {"tag": "mine", "digest": "sha256:3"}}), "", &[]).values;
    assert!(own.images.is_empty());
}

#[test]
fn keys_that_come_and_go_are_leaves() {
    let values = compared(json!({}), "", &[]).values;
    let paths = |keys: &[KeyDefault]| keys.iter().map(|key| key.path.to_string()).collect::<Vec<_>>();
    assert_eq!(paths(&values.new_keys), ["deep.c", "moved.there"]);
    assert_eq!(paths(&values.removed_keys), ["gone", "moved.here"]);
}

#[test]
fn the_same_chart_is_no_difference() {
    let (old, config) = (old(), map(json!({"same": 1, "never": 1, "changed": 7})));
    let case = Case { old: &old, new: &old, templates: "", before: &config, config: &config, renames: &[] };
    let values = compare(&case, None, &Redactor::new(false, [])).values;
    assert!(values.is_empty(), "{values:?}");
    assert_eq!(values.overrides_total, 3);
}

#[test]
fn the_chosen_mode_is_warned_of_what_it_drops_and_hides() {
    let release =
        Release { chart: old(), config: map(json!({"changed": 9, "open": {"mine": 1}})), ..Release::default() };
    let (target, user) = (new(), map(json!({"same": 2})));
    let modes = |chosen: Mode, user: &Map<String, Value>| {
        let config = inherit(chosen, user, &release, &target, NullDefaults::Kept).config;
        let case =
            Case { old: &release.chart, new: &target, templates: "", before: &config, config: &config, renames: &[] };
        let inheritance = Inheritance { release: &release, user, chosen, nulls: NullDefaults::Kept };
        compare(&case, Some(&inheritance), &Redactor::new(false, []))
    };
    let text = |paths: &[FieldPath]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    let ids = |compared: &Compared| compared.notes.iter().map(|note| note.id.clone()).collect::<Vec<_>>();

    let replaced = modes(Mode::Replace, &user);
    assert_eq!(text(&replaced.values.modes.as_ref().unwrap().drops), ["changed", "open.mine"]);
    assert!(ids(&replaced).contains(&"overrides-dropped".to_owned()));

    let reused = modes(Mode::Reuse, &user);
    let table = reused.values.modes.as_ref().unwrap();
    assert!(table.drops.is_empty());
    assert!(
        text(&table.hides).contains(&"deep.c".to_owned()) && text(&table.hides).contains(&"deep.b".to_owned()),
        "{:?}",
        table.hides
    );
    assert!(ids(&reused).contains(&"reuse-values-hides-defaults".to_owned()));

    let kept = modes(Mode::Keep, &Map::new());
    let table = kept.values.modes.as_ref().unwrap();
    assert!(table.drops.is_empty() && table.hides.is_empty() && ids(&kept).is_empty(), "{:?}", kept.notes);
    let row = table.rows.iter().find(|row| row.path.to_string() == "changed").unwrap();
    let seen: Vec<String> = row.values.iter().map(|value| format!("{value:?}")).collect();
    let number = |n: u64| format!("{:?}", Shown::Value(json!(n)));
    assert_eq!(table.columns, [Mode::Reset, Mode::Reuse, Mode::ResetThenReuse, Mode::Keep, Mode::Replace]);
    assert_eq!(seen, [number(2), number(9), number(9), number(9), number(2)]);
}

#[test]
fn secrets_among_values_are_hashed() {
    let found = compared(json!({"never": {"password": "hunter2"}}), "", &[]).values.overrides;
    assert!(matches!(&found[0].value, Shown::Secret { .. }), "{found:?}");
    assert_eq!(found[0].path.0.last(), Some(&Step::Key("password".into())));
}

#[test]
fn the_users_own_values_of_both_sides_are_held_against_each_other() {
    let own = |before: Value, after: Value| -> Vec<String> {
        let (old, new, before, after) = (old(), new(), map(before), map(after));
        let case = Case { old: &old, new: &new, templates: "", before: &before, config: &after, renames: &[] };
        let values = compare(&case, None, &Redactor::new(false, [&json!("key")])).values;
        let text = |shown: &Shown| match shown {
            Shown::Absent => "-".to_owned(),
            Shown::Value(value) => value.to_string(),
            Shown::Secret { .. } => "secret".to_owned(),
        };
        assert_eq!(values.own.is_empty(), before == after || same(&before.into(), &after.into()));
        values.own.iter().map(|one| format!("{} {} {}", one.path, text(&one.old), text(&one.new))).collect()
    };
    let cases = [
        (json!({}), json!({}), vec![]),
        (json!({"a": {"b": 1}}), json!({"a": {"b": 1.0}}), vec![]),
        (json!({"a": {"b": 1}}), json!({"a": {"b": 2}}), vec!["a.b 1 2"]),
        (json!({"a": {"b": 1, "c": 1}}), json!({"a": {"c": 1}, "d": null}), vec!["a.b 1 -", "d - null"]),
        (json!({"a": {"b": 1, "c": 1}}), json!({"a": "off"}), vec![r#"a {"b":1,"c":1} "off""#]),
        (json!({"a": {"b": 1}}), json!({"a": {}}), vec!["a.b 1 -"]),
        (json!({}), json!({"a": {}}), vec!["a - {}"]),
        (json!({"l": [1, 2]}), json!({"l": [2, 1]}), vec!["l [1,2] [2,1]"]),
        (json!({"db": {"password": "old"}}), json!({"db": {"password": "new"}}), vec!["db.password secret secret"]),
    ];
    for (before, after, expected) in cases {
        assert_eq!(own(before.clone(), after.clone()), expected, "{before} to {after}");
    }
    let taken = own(json!({"auth": "x"}), json!({"auth": {"password": "hunter2"}}));
    assert!(taken.len() == 1 && taken[0].starts_with(r#"auth "x" {"password":"<secret "#), "{taken:?}");
}

#[test]
fn templates_tell_whether_they_read_a_value() {
    let path = |text: &str| text.split('.').map(str::to_owned).collect::<Path>();
    let templates = "{{ .Values.a.b }} {{ with .Values.c }} {{ $.Values.d.e.f | quote }}";
    for (text, expected) in [
        ("a.b", Reads::Exactly),
        ("a.b.c", Reads::Around),
        ("a.bc", Reads::Nowhere),
        ("a", Reads::Exactly),
        ("c.x", Reads::Around),
        ("d.e", Reads::Exactly),
        ("d.x", Reads::Nowhere),
        ("x", Reads::Nowhere),
    ] {
        assert_eq!(Reads::of(templates, &path(text)), expected, "{text}");
    }
}
