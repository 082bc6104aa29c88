//! Rules about the release itself: whether helm will touch it at all.

use super::{Rule, Saying};
use crate::comparison::Level;

/// A stored release, reduced to what decides whether helm upgrades it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseState {
    /// Its name.
    pub name: String,
    /// Status of its newest revision: `deployed`, `pending-upgrade`.
    pub status: String,
    /// Bytes of its payload as it is stored, base64 and all.
    pub stored_bytes: u64,
    /// Bytes that the next revision is expected to take; 0 where that is not known.
    pub next_bytes: u64,
}

/// etcd and the API server hold a Secret to 1 MiB of data.
const CAP: u64 = 1 << 20;
/// From here on a few more values or templates can be too much.
const NEAR_CAP: u64 = CAP * 8 / 10;

/// Pending releases are not upgraded; too large ones cannot be stored.
pub(super) const STATE: Rule = Rule {
    ids: &["release-pending", "release-too-large", "release-near-cap"],
    run: |case, notes| {
        let Some(release) = &case.circumstances.release else { return };
        let name = &release.name;
        if release.status.starts_with("pending-") {
            let title = format!("release {name} is {}", release.status);
            let fix = format!(
                "See `helm history {name}`; if nobody is at work on it, `helm rollback {name}` to the last deployed revision, then upgrade."
            );
            let saying = Saying {
                level: Level::Blocker,
                id: "release-pending",
                title: &title,
                why: "Helm answers \"another operation (install/upgrade/rollback) is in progress\" and does nothing.",
                fix: &fix,
                source: "https://helm.sh/docs/helm/helm_rollback/",
            };
            notes.whole(&saying, None);
        }
        let bytes = release.stored_bytes.max(release.next_bytes);
        let size =
            format!("release {name} takes {:.2} MiB of the 1 MiB that a Secret may hold", bytes as f64 / CAP as f64);
        let saying = Saying {
            level: Level::Risk,
            id: "release-near-cap",
            title: &size,
            why: "Helm stores chart, values and manifest of each revision in one Secret; beyond the cap the upgrade fails after \
                  the objects were applied.",
            fix: "Shorten values, or use a storage driver without that limit (HELM_DRIVER=sql).",
            source: "https://helm.sh/docs/topics/advanced/#storage-backends",
        };
        if bytes > CAP {
            notes.whole(&Saying { level: Level::Blocker, id: "release-too-large", ..saying }, None);
        } else if bytes > NEAR_CAP {
            notes.whole(&saying, None);
        }
    },
};
