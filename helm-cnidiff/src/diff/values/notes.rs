//! The values section in, what a reader is to know first of it out.

use crate::comparison::{FieldPath, Level, Mode, Note, OverrideState, Shown, Values};

const HELM_UPGRADE: &str = "https://helm.sh/docs/helm/helm_upgrade/";

pub(super) fn of(values: &Values) -> Vec<Note> {
    let mut notes = Vec::new();
    let mut say = |id: &str, title: String, paths: &[FieldPath], why: &str, fix: &str| {
        notes.push(Note {
            level: Level::Risk,
            id: id.to_owned(),
            title,
            object: None,
            path: paths.first().cloned().unwrap_or_default(),
            old: Shown::Absent,
            new: Shown::Absent,
            why: why.to_owned(),
            fix: fix.to_owned(),
            source: Some(HELM_UPGRADE.to_owned()),
            also: paths.get(1..).unwrap_or_default().to_vec(),
        });
    };
    if let Some(modes) = &values.modes {
        if !modes.drops.is_empty() {
            let why = "Without --reuse-values or --reset-then-reuse-values, helm drops what the release has set as soon as \
                       -f or --set is given.";
            let how = match modes.chosen {
                Mode::Reset => "--reset-values drops",
                _ => "-f or --set drops",
            };
            let fix = "add --reset-then-reuse-values, or put these into the values file";
            say(
                "overrides-dropped",
                format!("{how} {}", count(modes.drops.len(), "override of the release", "overrides of the release")),
                &modes.drops,
                why,
                fix,
            );
        }
        if !modes.hides.is_empty() {
            let why = "--reuse-values keeps the old chart's defaults, so templates of the new chart read values that are \
                       missing or out of date; some fail, others switch features off.";
            let fix = "use --reset-then-reuse-values (helm 3.14 and newer)";
            say(
                "reuse-values-hides-defaults",
                format!("--reuse-values hides {} of the new chart", count(modes.hides.len(), "default", "defaults")),
                &modes.hides,
                why,
                fix,
            );
        }
    }
    let became: Vec<FieldPath> =
        paths(values, |state| matches!(state, OverrideState::BecameMap | OverrideState::TypeChanged { .. }));
    if !became.is_empty() {
        let why =
            "The chart expects another type there; helm keeps the user's value and the templates fail or misread it.";
        let title = format!(
            "{} of another type than the target's default",
            count(became.len(), "override is", "overrides are")
        );
        say(
            "override-type-changed",
            title,
            &became,
            why,
            "write the value in the form that the target's values.yaml shows",
        );
    }
    let unread = paths(values, |state| matches!(state, OverrideState::Unread));
    if !unread.is_empty() {
        let why =
            "Helm does not complain of values that no template reads: what they did before, they do not do any more.";
        let title = count(unread.len(), "override is not read by the target", "overrides are not read by the target");
        say("override-unread", title, &unread, why, "look up what took their place, then remove them from the values");
    }
    notes
}

fn paths(values: &Values, which: impl Fn(&OverrideState) -> bool) -> Vec<FieldPath> {
    values.overrides.iter().filter(|found| which(&found.state)).map(|found| found.path.clone()).collect()
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
