//! A stored release, a target chart and what the user typed in; the values that `helm upgrade` would use and store out,
//! for each way of inheriting them.
//!
//! Rules: `reuseValues` in `pkg/action/upgrade.go` and the coalescing of `pkg/chart/common/util`, the same in Helm 3 and
//! 4 but for [`NullDefaults`]. `tests/helm` installs and upgrades with both majors on a real API server and holds what
//! was stored against this.

use serde_json::{Map, Value};

use crate::comparison::Mode;
use crate::release::{Chart, Release};

/// What becomes of a `null` among a chart's defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NullDefaults {
    /// It stays (Helm 3, Helm 4 before 4.2).
    #[default]
    Kept,
    /// It is as if it were not there (Helm 4.2 and newer).
    Dropped,
}

/// The flags of `helm upgrade` that choose a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ModeFlags {
    /// `--reset-values`
    pub reset: bool,
    /// `--reuse-values`
    pub reuse: bool,
    /// `--reset-then-reuse-values`
    pub reset_then_reuse: bool,
}

impl ModeFlags {
    /// The mode that helm takes: the first flag wins, and without one it counts whether any value was given at all (a
    /// values file without content gives none).
    pub fn mode(self, user: &Map<String, Value>) -> Mode {
        match self {
            Self { reset: true, .. } => Mode::Reset,
            Self { reuse: true, .. } => Mode::Reuse,
            Self { reset_then_reuse: true, .. } => Mode::ResetThenReuse,
            _ if user.is_empty() => Mode::Keep,
            _ => Mode::Replace,
        }
    }
}

/// What one mode gives.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inherited {
    /// What helm stores as the release's own values: the user's overrides from now on.
    pub config: Map<String, Value>,
    /// The defaults under them, which helm stores with the chart.
    pub defaults: Map<String, Value>,
    /// Both together: what the templates see.
    pub effective: Map<String, Value>,
}

/// Computes what a mode gives. `user` is what -f and --set come to.
pub fn inherit(mode: Mode, user: &Map<String, Value>, old: &Release, target: &Chart, nulls: NullDefaults) -> Inherited {
    let over_old = || {
        let mut values = user.clone();
        coalesce_tables(&mut values, &old.config, false);
        values
    };
    let config = match mode {
        Mode::Reset | Mode::Replace => user.clone(),
        Mode::Reuse | Mode::ResetThenReuse => over_old(),
        Mode::Keep if user.is_empty() => old.config.clone(),
        Mode::Keep => user.clone(),
    };
    if mode == Mode::Reuse {
        // The old chart's defaults and overrides take the place of the new chart's defaults.
        let chart = Chart { values: effective(&old.chart, &old.config, nulls), ..target.clone() };
        let effective = effective(&chart, &config, nulls);
        return Inherited { config, defaults: chart.values, effective };
    }
    let effective = effective(target, &config, nulls);
    Inherited { config, defaults: target.values.clone(), effective }
}

/// What the templates of a chart see when the user sets `config`.
pub fn effective(chart: &Chart, config: &Map<String, Value>, nulls: NullDefaults) -> Map<String, Value> {
    let mut values = config.clone();
    coalesce(chart, &mut values, nulls);
    values
}

fn coalesce(chart: &Chart, values: &mut Map<String, Value>, nulls: NullDefaults) {
    coalesce_defaults(chart, values, nulls);
    for dependency in &chart.dependencies {
        let name = &dependency.metadata.name;
        let globals = values.get("global").cloned();
        // Helm refuses to render where this is anything but a table.
        let Value::Object(own) = values.entry(name.clone()).or_insert_with(|| Map::new().into()) else { continue };
        coalesce_globals(own, globals);
        coalesce(dependency, own, nulls);
    }
}

/// Puts a chart's defaults under `values`.
fn coalesce_defaults(chart: &Chart, values: &mut Map<String, Value>, nulls: NullDefaults) {
    for (key, default) in &chart.values {
        match values.get_mut(key) {
            // The user takes a default away.
            Some(Value::Null) => {
                values.remove(key);
            }
            Some(Value::Object(own)) => {
                let Value::Object(default) = default else { continue };
                // What is meant for a subchart keeps its nulls until the subchart is reached.
                let merge = chart.dependencies.iter().any(|dependency| dependency.metadata.name == *key);
                if nulls == NullDefaults::Dropped && !merge {
                    coalesce_tables(own, &without_nulls(default), merge);
                } else {
                    coalesce_tables(own, default, merge);
                }
            }
            Some(_) => {}
            None => match (nulls, default) {
                (NullDefaults::Dropped, Value::Null) => {}
                (NullDefaults::Dropped, Value::Object(default)) => {
                    values.insert(key.clone(), without_nulls(default).into());
                }
                _ => {
                    values.insert(key.clone(), default.clone());
                }
            },
        }
    }
}

/// Puts `under` under `over`: tables key by key, everything else as a whole. A null in `over` takes the key away where
/// `under` has a value for it, unless `merge` keeps nulls for later.
pub fn coalesce_tables(over: &mut Map<String, Value>, under: &Map<String, Value>, merge: bool) {
    for (key, low) in under {
        match over.get_mut(key) {
            None => {
                over.insert(key.clone(), low.clone());
            }
            Some(Value::Null) if !merge && !low.is_null() => {
                over.remove(key);
            }
            Some(Value::Object(high)) => {
                if let Value::Object(low) = low {
                    coalesce_tables(high, low, merge);
                }
            }
            Some(_) => {}
        }
    }
}

/// Hands the parent's globals down; the parent's win.
fn coalesce_globals(own: &mut Map<String, Value>, parent: Option<Value>) {
    let mut below = match own.get("global") {
        None => Map::new(),
        Some(Value::Object(map)) => map.clone(),
        Some(_) => return,
    };
    let from_above = match parent {
        None => Map::new(),
        Some(Value::Object(map)) => map,
        Some(_) => return,
    };
    for (key, value) in from_above {
        match (value, below.get(&key)) {
            (Value::Object(mut high), Some(Value::Object(low))) => {
                coalesce_tables(&mut high, low, true);
                below.insert(key, high.into());
            }
            // A table and something else: what the subchart has stays.
            (Value::Object(_), Some(_)) | (_, Some(Value::Object(_))) => {}
            (value, _) => {
                below.insert(key, value);
            }
        }
    }
    own.insert("global".to_owned(), below.into());
}

fn without_nulls(map: &Map<String, Value>) -> Map<String, Value> {
    map.iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| {
            let value = match value {
                Value::Object(map) => without_nulls(map).into(),
                other => other.clone(),
            };
            (key.clone(), value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn chart(values: Value) -> Chart {
        Chart { values: map(values), ..Chart::default() }
    }

    fn old() -> Release {
        Release {
            chart: chart(json!({"a": 1, "b": {"x": 1, "gone": true}, "n": null})),
            config: map(json!({"a": 2, "b": {"x": 5}})),
            ..Release::default()
        }
    }

    #[test]
    fn each_mode_gives_what_helm_gives() {
        let target = chart(json!({"a": 10, "b": {"x": 10, "new": true}, "c": 10}));
        let user = map(json!({"c": 3, "b": {"y": 1}}));
        let none = Map::new();
        let cases = [
            (
                Mode::Reset,
                &user,
                json!({"c": 3, "b": {"y": 1}}),
                json!({"a": 10, "b": {"x": 10, "new": true, "y": 1}, "c": 3}),
            ),
            (
                Mode::Replace,
                &user,
                json!({"c": 3, "b": {"y": 1}}),
                json!({"a": 10, "b": {"x": 10, "new": true, "y": 1}, "c": 3}),
            ),
            (
                Mode::Reuse,
                &user,
                json!({"a": 2, "b": {"x": 5, "y": 1}, "c": 3}),
                json!({"a": 2, "b": {"x": 5, "gone": true, "y": 1}, "c": 3, "n": null}),
            ),
            (
                Mode::ResetThenReuse,
                &user,
                json!({"a": 2, "b": {"x": 5, "y": 1}, "c": 3}),
                json!({"a": 2, "b": {"x": 5, "new": true, "y": 1}, "c": 3}),
            ),
            (Mode::Keep, &none, json!({"a": 2, "b": {"x": 5}}), json!({"a": 2, "b": {"x": 5, "new": true}, "c": 10})),
            (Mode::Reset, &none, json!({}), json!({"a": 10, "b": {"x": 10, "new": true}, "c": 10})),
        ];
        for (mode, user, config, effective) in cases {
            let got = inherit(mode, user, &old(), &target, NullDefaults::Kept);
            assert_eq!((Value::from(got.config), Value::from(got.effective)), (config, effective), "{mode:?}");
        }
    }

    #[test]
    fn the_first_flag_wins_and_an_empty_file_is_no_value() {
        let all = ModeFlags { reset: true, reuse: true, reset_then_reuse: true };
        let some = map(json!({"a": 1}));
        assert_eq!(all.mode(&some), Mode::Reset);
        assert_eq!(ModeFlags { reset: false, ..all }.mode(&some), Mode::Reuse);
        assert_eq!(ModeFlags { reset_then_reuse: true, ..ModeFlags::default() }.mode(&some), Mode::ResetThenReuse);
        assert_eq!(ModeFlags::default().mode(&some), Mode::Replace);
        assert_eq!(ModeFlags::default().mode(&Map::new()), Mode::Keep);
    }

    #[test]
    fn a_null_takes_a_default_away_and_stays_where_there_is_none() {
        let target = chart(json!({"a": {"b": 1, "c": null}, "d": 1}));
        let user = map(json!({"a": {"b": null, "c": null, "z": null}, "d": null, "y": null}));
        let seen = effective(&target, &user, NullDefaults::Kept);
        assert_eq!(Value::from(seen), json!({"a": {"c": null, "z": null}, "y": null}));
    }

    #[test]
    fn a_null_takes_an_earlier_override_away() {
        let user = map(json!({"a": null, "b": {"x": null, "z": null}}));
        for (mode, effective) in [
            (Mode::ResetThenReuse, json!({"a": 10, "b": {"x": 10, "z": null}})),
            (Mode::Reuse, json!({"a": 2, "b": {"gone": true, "x": 5, "z": null}, "n": null})),
        ] {
            let target = chart(json!({"a": 10, "b": {"x": 10}}));
            let got = inherit(mode, &user, &old(), &target, NullDefaults::Kept);
            assert_eq!(Value::from(got.config), json!({"b": {"z": null}}), "{mode:?}");
            assert_eq!(Value::from(got.effective), effective, "{mode:?}");
        }
    }

    #[test]
    fn null_defaults_stay_or_go_with_the_version() {
        let target = chart(json!({"a": {"b": 1, "c": null}, "d": null, "e": {"f": null}}));
        let user = map(json!({"a": {"b": 2}}));
        let seen = |nulls| Value::from(effective(&target, &user, nulls));
        assert_eq!(seen(NullDefaults::Kept), json!({"a": {"b": 2, "c": null}, "d": null, "e": {"f": null}}));
        assert_eq!(seen(NullDefaults::Dropped), json!({"a": {"b": 2}, "e": {}}));
    }

    #[test]
    fn a_subchart_gets_its_values_and_the_globals() {
        let mut sub = chart(json!({"port": 1, "host": "x"}));
        sub.metadata.name = "sub".to_owned();
        let mut parent = chart(json!({"global": {"g": {"a": 1}}, "sub": {"port": 2}}));
        parent.dependencies = vec![sub];
        let user = map(json!({"sub": {"host": null, "global": {"g": {"a": 5, "b": 2}}}}));
        let seen = effective(&parent, &user, NullDefaults::Kept);
        assert_eq!(
            Value::from(seen),
            json!({"global": {"g": {"a": 1}}, "sub": {"port": 2, "global": {"g": {"a": 1, "b": 2}}}}),
        );
    }

    #[test]
    fn a_table_and_a_scalar_do_not_mix() {
        let target = chart(json!({"a": {"b": 1}, "c": 1}));
        let user = map(json!({"a": "text", "c": {"d": 1}}));
        let seen = effective(&target, &user, NullDefaults::Kept);
        assert_eq!(Value::from(seen), json!({"a": "text", "c": {"d": 1}}));
    }
}
