//! Which image the agent runs in: any Linux image that is already on every node will do, since the agent brings all it needs.

use std::collections::BTreeSet;

use cni_facts::{Detection, Role};

use crate::snapshot::Snapshot;

/// An image and why it was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Image reference.
    pub image: String,
    /// In words, for the announcement.
    pub because: String,
    /// Secrets the CNI's own DaemonSet pulls it with. From Kubernetes 1.35 kubelets may ask for them even when the image is there (KEP-2535).
    pub pull_secrets: Vec<String>,
}

/// Chooses an image, or says why none can be.
///
/// # Errors
///
/// One line that says what to type.
pub fn choose(wanted: Option<&str>, snapshot: &Snapshot, detections: &[Detection]) -> Result<Choice, String> {
    if let Some(image) = wanted {
        return Ok(Choice {
            image: image.to_owned(),
            because: "given by --image".to_owned(),
            pull_secrets: Vec::new(),
        });
    }
    let agent = detections
        .iter()
        .filter(|detection| detection.role != Role::Meta)
        .flat_map(|detection| detection.agents.first().map(|agent| (detection, agent)))
        .next();
    if let Some((detection, agent)) = agent {
        return Ok(Choice {
            image: agent.image.clone(),
            because: format!("the image of {}'s agent, which every node has", detection.name),
            pull_secrets: agent.pull_secrets.clone(),
        });
    }
    on_every_node(snapshot)
        .map(|image| Choice { image, because: "every node reports to have it".to_owned(), pull_secrets: Vec::new() })
        .ok_or_else(|| "no image is known to be on every node: name one with --image, for example the one of a DaemonSet that runs everywhere".to_owned())
}

/// An image that every Linux node lists, the pause image before others. Kubelets list fifty images by default, so one may be missed.
fn on_every_node(snapshot: &Snapshot) -> Option<String> {
    let mut common: Option<BTreeSet<String>> = None;
    for node in snapshot.linux_nodes() {
        let images = node.status.iter().flat_map(|status| status.images.iter().flatten());
        let names: BTreeSet<String> = images
            .flat_map(|image| image.names.iter().flatten())
            .filter(|name| !name.contains("<none>"))
            .cloned()
            .collect();
        common = Some(match common {
            Some(known) => known.intersection(&names).cloned().collect(),
            None => names,
        });
    }
    let common = common?;
    // A tag before a digest: a digest alone may be of another repository's copy.
    let tagged: Vec<&String> = common.iter().filter(|name| !name.contains('@')).collect();
    let pause = tagged.iter().find(|name| name.contains("pause")).copied();
    pause.or(tagged.first().copied()).or(common.iter().next()).cloned()
}
