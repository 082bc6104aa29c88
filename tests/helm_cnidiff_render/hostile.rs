//! Secrets, escape sequences and markup in every text there is, in every format.

use std::collections::BTreeSet;

use helm_cnidiff::comparison::*;
use helm_cnidiff::render::{HumanStyle, TicketStyle, gitlab, html, human, jira, json, markdown};

use crate::formats::{ALL, PLAIN};
use crate::samples::{everything, manifests, same, upgrade};

/// Text as an attacker, or an unlucky tool, would put it into a chart or a cluster.
const HOSTILE: &str = "\x1b[2J\x1b]0;owned\x07 \u{9b}31m\r\nresult: SAME | `x` ``y`` \n```\n<script>alert(1)</script> </summary></details> </code></td> <!-- {noformat} {code} {color} [~admin] !x.png! ]]> \"q\" 'p' & @org/team #1 GH-2 :tada: [a](https://evil.example) www.evil.example \u{202e}txt\u{200b}\u{0}\u{ffff}\n# head\n- item {+ in +}";

/// Everything, with the hostile text wherever there is a text.
pub(crate) fn hostile() -> Comparison {
    let mut comparison = everything();
    fill(&mut comparison, &mut |text| *text = HOSTILE.to_owned(), &mut |shown| {
        if matches!(shown, Shown::Value(_)) {
            *shown = Shown::Value(serde_json::json!({HOSTILE: [HOSTILE, HOSTILE]}));
        }
    });
    comparison
}

/// Calls `each` on every text, and `shown` on every value. No field is passed over: a new one does not compile here.
fn fill(comparison: &mut Comparison, each: &mut impl FnMut(&mut String), shown: &mut impl FnMut(&mut Shown)) {
    let Comparison { from, to, verdict, notes, values, objects, counts, noise, warnings, provenance } = comparison;
    for side in [from, to] {
        let Side { label, chart, version, app_version, kube_range, release, namespace, revision: _, status, digest } =
            side;
        each(label);
        for text in [chart, version, app_version, kube_range, release, namespace, status, digest] {
            text.iter_mut().for_each(&mut *each);
        }
    }
    let Verdict { restarts, blockers: _, risks: _, dead_overrides: _, unknown } = verdict;
    unknown.iter_mut().for_each(&mut *each);
    for Restart { object, pods: _, at_once, on_delete: _, because } in restarts {
        fill_object(object, each);
        each(&mut at_once.setting);
        because.iter_mut().for_each(|path| fill_path(path, each));
    }
    for Note { level: _, id: _, title, object, path, old, new, why, fix, source, also } in notes {
        [title, why, fix].into_iter().for_each(&mut *each);
        source.iter_mut().for_each(&mut *each);
        object.iter_mut().for_each(|object| fill_object(object, each));
        also.iter_mut().chain([path]).for_each(|path| fill_path(path, each));
        [old, new].into_iter().for_each(&mut *shown);
    }
    let Values { overrides, overrides_total: _, own, defaults, images, new_keys, removed_keys, modes } =
        values.as_mut().expect("there are values");
    for Override { path, value, state, note } in overrides {
        fill_path(path, each);
        shown(value);
        note.iter_mut().for_each(&mut *each);
        match state {
            OverrideState::Renamed { to } => fill_path(to, each),
            OverrideState::Pins { old_default, new_default } => {
                [old_default, new_default].into_iter().for_each(&mut *shown)
            }
            OverrideState::Unread
            | OverrideState::BecameMap
            | OverrideState::TypeChanged { .. }
            | OverrideState::EqualsDefault => {}
        }
    }
    for OwnChange { path, old, new } in own {
        fill_path(path, each);
        [old, new].into_iter().for_each(&mut *shown);
    }
    for DefaultChange { path, old, new, note } in defaults {
        fill_path(path, each);
        note.iter_mut().for_each(&mut *each);
        [old, new].into_iter().for_each(&mut *shown);
    }
    for ImageChange { path, old, new } in images {
        fill_path(path, each);
        fill_images([old, new], each);
    }
    for KeyDefault { path, default } in new_keys.iter_mut().chain(removed_keys) {
        fill_path(path, each);
        shown(default);
    }
    let Modes { chosen: _, columns: _, rows, drops, hides } = modes.as_mut().expect("there are modes");
    drops.iter_mut().chain(hides).for_each(|path| fill_path(path, each));
    for ModeRow { path, values } in rows {
        fill_path(path, each);
        values.iter_mut().for_each(&mut *shown);
    }
    for ObjectChange { section: _, object, was, change, restarts: _, folded: _ } in objects {
        was.iter_mut().chain([object]).for_each(|object| fill_object(object, each));
        fill_change(change, each, shown);
    }
    for KindCount { section: _, kind, added: _, removed: _, changed: _, unchanged: _ } in counts {
        each(kind);
    }
    for Noise { rule: _, title, count: _, hits } in noise {
        each(title);
        for NoiseHit { object, path, old, new } in hits {
            fill_object(object, each);
            fill_path(path, each);
            [old, new].into_iter().for_each(&mut *shown);
        }
    }
    for Warning { side, place, text } in warnings {
        [side, place, text].into_iter().for_each(&mut *each);
    }
    let Provenance { tool, release, revision, from_digest, to_digest, helm, flags, rendered, facts } = provenance;
    each(tool);
    for text in [release, revision, from_digest, to_digest, helm] {
        text.iter_mut().for_each(&mut *each);
    }
    flags.iter_mut().chain(facts).for_each(&mut *each);
    match rendered {
        Rendered::Given => {}
        Rendered::Offline { kube_version, api_versions: _ } => kube_version.iter_mut().for_each(each),
        Rendered::Cluster { kube_version, context } => [kube_version, context].into_iter().for_each(each),
    }
}

fn fill_change(change: &mut Change, each: &mut impl FnMut(&mut String), shown: &mut impl FnMut(&mut Shown)) {
    match change {
        Change::Added(facts) | Change::Removed(facts) => {
            facts.iter_mut().flat_map(|Fact { label, text }| [label, text]).for_each(each)
        }
        Change::Fields(fields) => fields.iter_mut().for_each(|field| fill_field(field, each, shown)),
        Change::Grants(GrantChange { gained, lost, other }) => {
            for Grant { group, resource, resource_name, verbs } in gained.iter_mut().chain(lost) {
                [group, resource, resource_name].into_iter().chain(verbs).for_each(&mut *each);
            }
            other.iter_mut().for_each(|field| fill_field(field, each, shown));
        }
        Change::Crd(CrdChange { name, versions, fields_removed, fields_added, now_required, validation, other }) => {
            each(name);
            fields_removed.iter_mut().chain(fields_added).chain(now_required).for_each(&mut *each);
            versions.iter_mut().map(|CrdVersion { name, old: _, new: _ }| name).for_each(&mut *each);
            validation.iter_mut().chain(other).for_each(|field| fill_field(field, each, shown));
        }
    }
}

fn fill_field(field: &mut FieldChange, each: &mut impl FnMut(&mut String), shown: &mut impl FnMut(&mut Shown)) {
    let FieldChange { path, old, new, kind, level: _, aside } = field;
    fill_path(path, each);
    [old, new].into_iter().for_each(shown);
    aside.iter_mut().for_each(&mut *each);
    match kind {
        ChangeKind::Added | ChangeKind::Removed | ChangeKind::Changed | ChangeKind::Order => {}
        ChangeKind::Image { old, new } => fill_images([old, new], each),
        ChangeKind::Text(lines) => lines.iter_mut().map(|TextLine { sign: _, text }| text).for_each(each),
    }
}

fn fill_images<'a>(images: impl IntoIterator<Item = &'a mut Image>, each: &mut impl FnMut(&mut String)) {
    for Image { repository, tag, digest } in images {
        [repository, tag, digest].into_iter().for_each(&mut *each);
    }
}

fn fill_object(object: &mut ObjectRef, each: &mut impl FnMut(&mut String)) {
    let ObjectRef { api_version, kind, namespace, name } = object;
    [api_version, kind, namespace, name].into_iter().for_each(each);
}

fn fill_path(path: &mut FieldPath, each: &mut impl FnMut(&mut String)) {
    for step in &mut path.0 {
        match step {
            Step::Key(text) | Step::Item(text) => each(text),
            Step::Index(_) | Step::Inside(_) => {}
        }
    }
}

fn every_format(comparison: &Comparison) -> Vec<(&'static str, String)> {
    let roomy = |style: TicketStyle| TicketStyle { max_chars: 10_000_000, ..style };
    vec![
        ("human", human(comparison, &PLAIN)),
        ("human --all", human(comparison, &HumanStyle { show: ALL, ..PLAIN })),
        ("markdown", markdown(comparison, &TicketStyle::GITHUB)),
        ("markdown, all of it", markdown(comparison, &roomy(TicketStyle { show: ALL, ..TicketStyle::GITHUB }))),
        ("gitlab", gitlab(comparison, &roomy(TicketStyle::GITLAB))),
        ("jira", jira(comparison, &TicketStyle::JIRA)),
        ("jira, all of it", jira(comparison, &roomy(TicketStyle { show: ALL, ..TicketStyle::JIRA }))),
        ("html", html(comparison, &ALL)),
        ("json", json(comparison)),
    ]
}

#[test]
fn no_format_lets_a_hostile_text_through() {
    for (format, text) in every_format(&hostile()) {
        let odd: BTreeSet<char> = text
            .chars()
            .filter(|c| c.is_control() && *c != '\n' || matches!(c, '\u{202e}' | '\u{ffff}' | '\u{feff}'))
            .collect();
        assert!(odd.is_empty(), "{format}: {odd:?}");
        assert!(!text.contains("\nresult: SAME"), "{format}");
        assert!(text.contains("owned"), "{format} does not show the text at all");
    }
}

#[test]
fn html_is_well_formed_and_holds_no_other_tags_than_its_own() {
    for comparison in [Comparison::default(), same(), manifests(), upgrade(), everything(), hostile()] {
        let text = html(&comparison, &ALL);
        let mut open: Vec<&str> = vec!["html", "head"];
        let body = text.split_once("</style>").expect("there is a style").1;
        for piece in body.split('<').skip(1) {
            let (tag, _) = piece.split_once('>').unwrap_or_else(|| panic!("a tag without end: {piece}"));
            let name = tag.trim_start_matches('/').split([' ', '\n']).next().expect("a first word");
            assert!(KNOWN.contains(&name), "<{tag}>");
            for attribute in tag.split_whitespace().skip(1).filter(|word| word.contains('=')) {
                let attribute = attribute.split('=').next().expect("a name");
                assert!(["class", "colspan", "href", "id", "rel"].contains(&attribute), "<{tag}>");
            }
            match tag.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop(), Some(name), "</{name}>"),
                None if ["br", "col", "wbr"].contains(&name) => {}
                None => open.push(name),
            }
        }
        assert_eq!(open, Vec::<&str>::new());
        for outside in ["http://", "src=", "url(", "@import", "<script", "<link", "javascript:", " onclick"] {
            assert!(!text.contains(outside), "{outside}");
        }
    }
}

const KNOWN: [&str; 33] = [
    "a", "b", "col", "colgroup", "body", "br", "code", "del", "details", "div", "h1", "h2", "head", "header", "html",
    "ins", "li", "main", "nav", "p", "pre", "section", "small", "span", "strong", "summary", "table", "td", "th", "tr",
    "ul", "wbr", "style",
];

/// What is left of Markdown when fences and code spans are taken out; panics where a fence is not closed.
fn outside_code(text: &str) -> String {
    let mut out = String::new();
    let mut fence: Option<String> = None;
    for line in text.lines() {
        let ticks: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 && line == format!("{ticks}diff") => fence = Some(ticks),
            None => {
                // A line of HTML is not read as Markdown: a backtick in it is a backtick.
                let html = line.starts_with("<details");
                out.push_str(&if html { line.to_owned() } else { outside_spans(line) });
                out.push('\n');
            }
        }
    }
    assert_eq!(fence, None, "a fence stays open");
    out
}

fn outside_spans(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        out.push_str(&rest[..at]);
        if out.ends_with('\\') {
            rest = &rest[at + 1..];
            continue;
        }
        let ticks = rest[at..].chars().take_while(|c| *c == '`').count();
        let inside = &rest[at + ticks..];
        let end = inside
            .match_indices(&"`".repeat(ticks))
            .map(|(end, _)| end)
            .find(|end| !inside[..*end].ends_with('`') && !inside[*end + ticks..].starts_with('`'))
            .unwrap_or_else(|| panic!("a code span stays open: {line}"));
        rest = &inside[end + ticks..];
    }
    out + rest
}

#[test]
fn markdown_lets_nothing_out_of_code_and_text() {
    for (format, text) in every_format(&hostile()) {
        if !format.starts_with("markdown") && format != "gitlab" {
            continue;
        }
        let outside = outside_code(&text);
        let mut left = outside.replace("&#124;", "|").replace("\\]", "");
        for own in ["<details>", "<details open>", "</details>", "<summary>", "</summary>", "<b>", "</b>", "<br>"] {
            left = left.replace(own, "");
        }
        assert!(!left.contains('<'), "{format}: {left}");
        for bad in ["@org", "#1", "GH-2", ":tada:", "](", "https://evil", "www.evil", "{+ in", "\n# head"] {
            assert!(!left.contains(bad), "{format}: {bad} in {left}");
        }
        assert_eq!(outside.matches("<details").count(), outside.matches("</details>").count(), "{format}");
        assert_eq!(outside.matches("<summary>").count(), outside.matches("</summary>").count(), "{format}");
    }
}

#[test]
fn jira_lets_nothing_out_of_noformat_and_text() {
    for (format, text) in every_format(&hostile()) {
        if !format.starts_with("jira") {
            continue;
        }
        let blocks: Vec<&str> = text.split("{noformat}").collect();
        assert_eq!(blocks.len() % 2, 1, "{format}: a block stays open");
        for outside in blocks.iter().step_by(2) {
            let mut left = outside.replace("{{", "").replace("}}", "").replace("{color}", "").replace("\\{", "");
            for colour in ["#de350b", "#b65c02", "#1f845a", "#0c66e4", "#8f7ee7"] {
                left = left.replace(&format!("{{color:{colour}}}"), "");
            }
            assert!(!left.contains('{'), "{format}: {left}");
            for bad in ["[~admin", " !x.png", "[a]", "<script", "@org"] {
                assert!(!left.contains(bad), "{format}: {bad} in {left}");
            }
        }
        for inside in blocks.iter().skip(1).step_by(2) {
            assert!(inside.starts_with('\n') && inside.ends_with('\n'), "{format}");
        }
    }
}

#[test]
fn a_secret_is_a_hash_wherever_it_stands() {
    let mut comparison = everything();
    fill(&mut comparison, &mut |_| {}, &mut |shown| {
        if !shown.is_absent() {
            *shown = Shown::Secret { hash: "5ec4e700".into() };
        }
    });
    for (format, text) in every_format(&comparison) {
        assert!(text.contains("5ec4e700"), "{format}");
        let words = if format == "json" { "\"secret\": \"5ec4e700\"" } else { "(secret 5ec4e700)" };
        let dry: String = text.split_whitespace().collect();
        let all = dry.matches("5ec4e700").count();
        let as_secret = dry.matches(&words.split_whitespace().collect::<String>()).count();
        // Each is told as what it is, none as if it were the value.
        assert_eq!(all, as_secret, "{format}");
        if format == "json" {
            none_is_plain(&serde_json::from_str(&text).expect("JSON"));
        }
    }
}

/// Panics where a value is shown as it is: `{"value": …}` and nothing else.
fn none_is_plain(json: &serde_json::Value) {
    match json {
        serde_json::Value::Object(map) => {
            assert!(map.len() != 1 || !map.contains_key("value"), "{json}");
            map.values().for_each(none_is_plain);
        }
        serde_json::Value::Array(items) => items.iter().for_each(none_is_plain),
        _ => {}
    }
}

#[test]
fn hostile_is_as_recorded() {
    let comparison = hostile();
    crate::golden::check("cnidiff/hostile.txt", &human(&comparison, &PLAIN));
    crate::golden::check(
        "cnidiff/hostile.md",
        &markdown(&comparison, &TicketStyle { max_chars: 20_000, ..TicketStyle::GITHUB }),
    );
}
