//! The files of `data/`, compiled in. A test compares these lists with the folder.

use flate2::{Decompress, FlushDecompress, Status};

/// A file of `data/`, packed by `build.rs`.
pub(crate) struct File {
    /// Its path in this crate.
    pub(crate) name: &'static str,
    packed: &'static [u8],
}

impl File {
    /// Its text.
    pub(crate) fn text(&self) -> String {
        let mut inflate = Decompress::new(false);
        let mut text = Vec::with_capacity(self.packed.len() * 8);
        loop {
            let read = usize::try_from(inflate.total_in()).expect("no more than the file");
            match inflate.decompress_vec(&self.packed[read..], &mut text, FlushDecompress::Finish) {
                Ok(Status::StreamEnd) => return String::from_utf8(text).expect("packed by build.rs from a text"),
                Ok(_) => text.reserve(text.capacity()),
                Err(error) => panic!("{} is not as build.rs packed it: {error}", self.name),
            }
        }
    }
}

macro_rules! packed {
    ($name:literal) => {
        File { name: $name, packed: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".z")) }
    };
}

/// A folder of `data/`: a CNI, a family of CNIs, or `any`. Its `cni.yaml` is in [`CNIS`].
pub(crate) struct Folder {
    pub(crate) name: &'static str,
    pub(crate) rules: &'static [File],
    pub(crate) support: Option<File>,
    pub(crate) defaults: Option<File>,
    pub(crate) backup: Option<File>,
    pub(crate) host: Option<File>,
}

/// Every `cni.yaml`.
pub(crate) const CNIS: &[File] = &[
    packed!("data/antrea/cni.yaml"),
    packed!("data/aws-vpc-cni/cni.yaml"),
    packed!("data/azure-cni/cni.yaml"),
    packed!("data/calico-manifest/cni.yaml"),
    packed!("data/calico-operator/cni.yaml"),
    packed!("data/canal/cni.yaml"),
    packed!("data/cilium/cni.yaml"),
    packed!("data/flannel/cni.yaml"),
    packed!("data/gke-dataplane-v2/cni.yaml"),
    packed!("data/kindnet/cni.yaml"),
    packed!("data/kube-ovn/cni.yaml"),
    packed!("data/kube-router/cni.yaml"),
    packed!("data/multus/cni.yaml"),
    packed!("data/ovn-kubernetes/cni.yaml"),
    packed!("data/spiderpool/cni.yaml"),
    packed!("data/weave/cni.yaml"),
];

/// Folders with something besides.
pub(crate) const FOLDERS: &[Folder] = &[
    Folder {
        name: "antrea",
        rules: &[packed!("data/antrea/rules.yaml")],
        support: Some(packed!("data/antrea/support.yaml")),
        defaults: None,
        backup: Some(packed!("data/antrea/backup.yaml")),
        host: Some(packed!("data/antrea/host.yaml")),
    },
    Folder {
        name: "any",
        rules: &[packed!("data/any/rules.yaml")],
        support: None,
        defaults: None,
        backup: None,
        host: Some(packed!("data/any/host.yaml")),
    },
    Folder {
        name: "aws-vpc-cni",
        rules: &[packed!("data/aws-vpc-cni/rules.yaml")],
        support: Some(packed!("data/aws-vpc-cni/support.yaml")),
        defaults: None,
        backup: Some(packed!("data/aws-vpc-cni/backup.yaml")),
        host: Some(packed!("data/aws-vpc-cni/host.yaml")),
    },
    Folder {
        name: "azure-cni",
        rules: &[],
        support: Some(packed!("data/azure-cni/support.yaml")),
        defaults: None,
        backup: Some(packed!("data/azure-cni/backup.yaml")),
        host: Some(packed!("data/azure-cni/host.yaml")),
    },
    Folder {
        name: "calico",
        rules: &[
            packed!("data/calico/upgrade/every-step.yaml"),
            packed!("data/calico/upgrade/3.24-3.25.yaml"),
            packed!("data/calico/upgrade/3.25-3.26.yaml"),
            packed!("data/calico/upgrade/3.26-3.27.yaml"),
            packed!("data/calico/upgrade/3.27-3.28.yaml"),
            packed!("data/calico/upgrade/3.28-3.29.yaml"),
            packed!("data/calico/upgrade/3.29-3.30.yaml"),
            packed!("data/calico/upgrade/3.30-3.31.yaml"),
            packed!("data/calico/upgrade/3.31-3.32.yaml"),
        ],
        support: Some(packed!("data/calico/support.yaml")),
        defaults: None,
        backup: None,
        host: None,
    },
    Folder {
        name: "calico-manifest",
        rules: &[],
        support: None,
        defaults: None,
        backup: Some(packed!("data/calico-manifest/backup.yaml")),
        host: Some(packed!("data/calico-manifest/host.yaml")),
    },
    Folder {
        name: "calico-operator",
        rules: &[],
        support: None,
        defaults: None,
        backup: Some(packed!("data/calico-operator/backup.yaml")),
        host: Some(packed!("data/calico-operator/host.yaml")),
    },
    Folder {
        name: "canal",
        rules: &[packed!("data/canal/rules.yaml")],
        support: None,
        defaults: None,
        backup: Some(packed!("data/canal/backup.yaml")),
        host: Some(packed!("data/canal/host.yaml")),
    },
    Folder {
        name: "cilium",
        rules: &[
            packed!("data/cilium/upgrade/every-step.yaml"),
            packed!("data/cilium/upgrade/1.10-1.11.yaml"),
            packed!("data/cilium/upgrade/1.11-1.12.yaml"),
            packed!("data/cilium/upgrade/1.12-1.13.yaml"),
            packed!("data/cilium/upgrade/1.13-1.14.yaml"),
            packed!("data/cilium/upgrade/1.14-1.15.yaml"),
            packed!("data/cilium/upgrade/1.15-1.16.yaml"),
            packed!("data/cilium/upgrade/1.16-1.17.yaml"),
            packed!("data/cilium/upgrade/1.17-1.18.yaml"),
            packed!("data/cilium/upgrade/1.18-1.19.yaml"),
            packed!("data/cilium/upgrade/1.19-1.20.yaml"),
        ],
        support: Some(packed!("data/cilium/support.yaml")),
        defaults: Some(packed!("data/cilium/defaults.yaml")),
        backup: Some(packed!("data/cilium/backup.yaml")),
        host: Some(packed!("data/cilium/host.yaml")),
    },
    Folder {
        name: "flannel",
        rules: &[packed!("data/flannel/rules.yaml")],
        support: Some(packed!("data/flannel/support.yaml")),
        defaults: None,
        backup: Some(packed!("data/flannel/backup.yaml")),
        host: Some(packed!("data/flannel/host.yaml")),
    },
    Folder {
        name: "gke-dataplane-v2",
        rules: &[],
        support: Some(packed!("data/gke-dataplane-v2/support.yaml")),
        defaults: None,
        backup: Some(packed!("data/gke-dataplane-v2/backup.yaml")),
        host: Some(packed!("data/gke-dataplane-v2/host.yaml")),
    },
    Folder {
        name: "kindnet",
        rules: &[],
        support: Some(packed!("data/kindnet/support.yaml")),
        defaults: None,
        backup: Some(packed!("data/kindnet/backup.yaml")),
        host: Some(packed!("data/kindnet/host.yaml")),
    },
    Folder {
        name: "kube-ovn",
        rules: &[],
        support: Some(packed!("data/kube-ovn/support.yaml")),
        defaults: None,
        backup: Some(packed!("data/kube-ovn/backup.yaml")),
        host: Some(packed!("data/kube-ovn/host.yaml")),
    },
    Folder {
        name: "kube-router",
        rules: &[packed!("data/kube-router/rules.yaml")],
        support: Some(packed!("data/kube-router/support.yaml")),
        defaults: None,
        backup: Some(packed!("data/kube-router/backup.yaml")),
        host: Some(packed!("data/kube-router/host.yaml")),
    },
    Folder {
        name: "multus",
        rules: &[packed!("data/multus/rules.yaml")],
        support: Some(packed!("data/multus/support.yaml")),
        defaults: None,
        backup: Some(packed!("data/multus/backup.yaml")),
        host: Some(packed!("data/multus/host.yaml")),
    },
    Folder {
        name: "ovn-kubernetes",
        rules: &[],
        support: Some(packed!("data/ovn-kubernetes/support.yaml")),
        defaults: None,
        backup: Some(packed!("data/ovn-kubernetes/backup.yaml")),
        host: Some(packed!("data/ovn-kubernetes/host.yaml")),
    },
    Folder {
        name: "spiderpool",
        rules: &[],
        support: Some(packed!("data/spiderpool/support.yaml")),
        defaults: None,
        backup: Some(packed!("data/spiderpool/backup.yaml")),
        host: Some(packed!("data/spiderpool/host.yaml")),
    },
    Folder {
        name: "weave",
        rules: &[packed!("data/weave/rules.yaml")],
        support: Some(packed!("data/weave/support.yaml")),
        defaults: None,
        backup: Some(packed!("data/weave/backup.yaml")),
        host: Some(packed!("data/weave/host.yaml")),
    },
];

/// Ways from one CNI to another.
pub(crate) const MIGRATIONS: &[File] = &[
    packed!("data/migration/any-antrea.yaml"),
    packed!("data/migration/calico-cilium.yaml"),
    packed!("data/migration/canal-cilium.yaml"),
    packed!("data/migration/cilium-any.yaml"),
    packed!("data/migration/flannel-calico.yaml"),
    packed!("data/migration/flannel-cilium.yaml"),
    packed!("data/migration/methods.yaml"),
    packed!("data/migration/weave-any.yaml"),
];

/// What `policy_uses` refers to.
pub(crate) const POLICY_FEATURES: File = packed!("data/policy-features.yaml");

/// Upgrades that went wrong for others.
pub(crate) const INCIDENTS: File = packed!("data/incidents.yaml");
