//! The files of `data/`, compiled in. A test compares these lists with the folder.

/// Name and text of a file, as [`Facts::with_overlay`](crate::Facts::with_overlay) takes them.
pub(crate) type File = (&'static str, &'static str);

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
    ("data/antrea/cni.yaml", include_str!("../data/antrea/cni.yaml")),
    ("data/aws-vpc-cni/cni.yaml", include_str!("../data/aws-vpc-cni/cni.yaml")),
    ("data/azure-cni/cni.yaml", include_str!("../data/azure-cni/cni.yaml")),
    ("data/calico-manifest/cni.yaml", include_str!("../data/calico-manifest/cni.yaml")),
    ("data/calico-operator/cni.yaml", include_str!("../data/calico-operator/cni.yaml")),
    ("data/canal/cni.yaml", include_str!("../data/canal/cni.yaml")),
    ("data/cilium/cni.yaml", include_str!("../data/cilium/cni.yaml")),
    ("data/flannel/cni.yaml", include_str!("../data/flannel/cni.yaml")),
    ("data/gke-dataplane-v2/cni.yaml", include_str!("../data/gke-dataplane-v2/cni.yaml")),
    ("data/kindnet/cni.yaml", include_str!("../data/kindnet/cni.yaml")),
    ("data/kube-ovn/cni.yaml", include_str!("../data/kube-ovn/cni.yaml")),
    ("data/kube-router/cni.yaml", include_str!("../data/kube-router/cni.yaml")),
    ("data/multus/cni.yaml", include_str!("../data/multus/cni.yaml")),
    ("data/ovn-kubernetes/cni.yaml", include_str!("../data/ovn-kubernetes/cni.yaml")),
    ("data/spiderpool/cni.yaml", include_str!("../data/spiderpool/cni.yaml")),
    ("data/weave/cni.yaml", include_str!("../data/weave/cni.yaml")),
];

/// Folders with something besides.
pub(crate) const FOLDERS: &[Folder] = &[
    Folder {
        name: "antrea",
        rules: &[("data/antrea/rules.yaml", include_str!("../data/antrea/rules.yaml"))],
        support: Some(("data/antrea/support.yaml", include_str!("../data/antrea/support.yaml"))),
        defaults: None,
        backup: Some(("data/antrea/backup.yaml", include_str!("../data/antrea/backup.yaml"))),
        host: Some(("data/antrea/host.yaml", include_str!("../data/antrea/host.yaml"))),
    },
    Folder {
        name: "any",
        rules: &[("data/any/rules.yaml", include_str!("../data/any/rules.yaml"))],
        support: None,
        defaults: None,
        backup: None,
        host: Some(("data/any/host.yaml", include_str!("../data/any/host.yaml"))),
    },
    Folder {
        name: "aws-vpc-cni",
        rules: &[("data/aws-vpc-cni/rules.yaml", include_str!("../data/aws-vpc-cni/rules.yaml"))],
        support: Some(("data/aws-vpc-cni/support.yaml", include_str!("../data/aws-vpc-cni/support.yaml"))),
        defaults: None,
        backup: Some(("data/aws-vpc-cni/backup.yaml", include_str!("../data/aws-vpc-cni/backup.yaml"))),
        host: Some(("data/aws-vpc-cni/host.yaml", include_str!("../data/aws-vpc-cni/host.yaml"))),
    },
    Folder {
        name: "azure-cni",
        rules: &[],
        support: Some(("data/azure-cni/support.yaml", include_str!("../data/azure-cni/support.yaml"))),
        defaults: None,
        backup: Some(("data/azure-cni/backup.yaml", include_str!("../data/azure-cni/backup.yaml"))),
        host: Some(("data/azure-cni/host.yaml", include_str!("../data/azure-cni/host.yaml"))),
    },
    Folder {
        name: "calico",
        rules: &[
            ("data/calico/upgrade/every-step.yaml", include_str!("../data/calico/upgrade/every-step.yaml")),
            ("data/calico/upgrade/3.24-3.25.yaml", include_str!("../data/calico/upgrade/3.24-3.25.yaml")),
            ("data/calico/upgrade/3.25-3.26.yaml", include_str!("../data/calico/upgrade/3.25-3.26.yaml")),
            ("data/calico/upgrade/3.26-3.27.yaml", include_str!("../data/calico/upgrade/3.26-3.27.yaml")),
            ("data/calico/upgrade/3.27-3.28.yaml", include_str!("../data/calico/upgrade/3.27-3.28.yaml")),
            ("data/calico/upgrade/3.28-3.29.yaml", include_str!("../data/calico/upgrade/3.28-3.29.yaml")),
            ("data/calico/upgrade/3.29-3.30.yaml", include_str!("../data/calico/upgrade/3.29-3.30.yaml")),
            ("data/calico/upgrade/3.30-3.31.yaml", include_str!("../data/calico/upgrade/3.30-3.31.yaml")),
            ("data/calico/upgrade/3.31-3.32.yaml", include_str!("../data/calico/upgrade/3.31-3.32.yaml")),
        ],
        support: Some(("data/calico/support.yaml", include_str!("../data/calico/support.yaml"))),
        defaults: None,
        backup: None,
        host: None,
    },
    Folder {
        name: "calico-manifest",
        rules: &[],
        support: None,
        defaults: None,
        backup: Some(("data/calico-manifest/backup.yaml", include_str!("../data/calico-manifest/backup.yaml"))),
        host: Some(("data/calico-manifest/host.yaml", include_str!("../data/calico-manifest/host.yaml"))),
    },
    Folder {
        name: "calico-operator",
        rules: &[],
        support: None,
        defaults: None,
        backup: Some(("data/calico-operator/backup.yaml", include_str!("../data/calico-operator/backup.yaml"))),
        host: Some(("data/calico-operator/host.yaml", include_str!("../data/calico-operator/host.yaml"))),
    },
    Folder {
        name: "canal",
        rules: &[("data/canal/rules.yaml", include_str!("../data/canal/rules.yaml"))],
        support: None,
        defaults: None,
        backup: Some(("data/canal/backup.yaml", include_str!("../data/canal/backup.yaml"))),
        host: Some(("data/canal/host.yaml", include_str!("../data/canal/host.yaml"))),
    },
    Folder {
        name: "cilium",
        rules: &[
            ("data/cilium/upgrade/every-step.yaml", include_str!("../data/cilium/upgrade/every-step.yaml")),
            ("data/cilium/upgrade/1.10-1.11.yaml", include_str!("../data/cilium/upgrade/1.10-1.11.yaml")),
            ("data/cilium/upgrade/1.11-1.12.yaml", include_str!("../data/cilium/upgrade/1.11-1.12.yaml")),
            ("data/cilium/upgrade/1.12-1.13.yaml", include_str!("../data/cilium/upgrade/1.12-1.13.yaml")),
            ("data/cilium/upgrade/1.13-1.14.yaml", include_str!("../data/cilium/upgrade/1.13-1.14.yaml")),
            ("data/cilium/upgrade/1.14-1.15.yaml", include_str!("../data/cilium/upgrade/1.14-1.15.yaml")),
            ("data/cilium/upgrade/1.15-1.16.yaml", include_str!("../data/cilium/upgrade/1.15-1.16.yaml")),
            ("data/cilium/upgrade/1.16-1.17.yaml", include_str!("../data/cilium/upgrade/1.16-1.17.yaml")),
            ("data/cilium/upgrade/1.17-1.18.yaml", include_str!("../data/cilium/upgrade/1.17-1.18.yaml")),
            ("data/cilium/upgrade/1.18-1.19.yaml", include_str!("../data/cilium/upgrade/1.18-1.19.yaml")),
            ("data/cilium/upgrade/1.19-1.20.yaml", include_str!("../data/cilium/upgrade/1.19-1.20.yaml")),
        ],
        support: Some(("data/cilium/support.yaml", include_str!("../data/cilium/support.yaml"))),
        defaults: Some(("data/cilium/defaults.yaml", include_str!("../data/cilium/defaults.yaml"))),
        backup: Some(("data/cilium/backup.yaml", include_str!("../data/cilium/backup.yaml"))),
        host: Some(("data/cilium/host.yaml", include_str!("../data/cilium/host.yaml"))),
    },
    Folder {
        name: "flannel",
        rules: &[("data/flannel/rules.yaml", include_str!("../data/flannel/rules.yaml"))],
        support: Some(("data/flannel/support.yaml", include_str!("../data/flannel/support.yaml"))),
        defaults: None,
        backup: Some(("data/flannel/backup.yaml", include_str!("../data/flannel/backup.yaml"))),
        host: Some(("data/flannel/host.yaml", include_str!("../data/flannel/host.yaml"))),
    },
    Folder {
        name: "gke-dataplane-v2",
        rules: &[],
        support: Some(("data/gke-dataplane-v2/support.yaml", include_str!("../data/gke-dataplane-v2/support.yaml"))),
        defaults: None,
        backup: Some(("data/gke-dataplane-v2/backup.yaml", include_str!("../data/gke-dataplane-v2/backup.yaml"))),
        host: Some(("data/gke-dataplane-v2/host.yaml", include_str!("../data/gke-dataplane-v2/host.yaml"))),
    },
    Folder {
        name: "kindnet",
        rules: &[],
        support: Some(("data/kindnet/support.yaml", include_str!("../data/kindnet/support.yaml"))),
        defaults: None,
        backup: Some(("data/kindnet/backup.yaml", include_str!("../data/kindnet/backup.yaml"))),
        host: Some(("data/kindnet/host.yaml", include_str!("../data/kindnet/host.yaml"))),
    },
    Folder {
        name: "kube-ovn",
        rules: &[],
        support: Some(("data/kube-ovn/support.yaml", include_str!("../data/kube-ovn/support.yaml"))),
        defaults: None,
        backup: Some(("data/kube-ovn/backup.yaml", include_str!("../data/kube-ovn/backup.yaml"))),
        host: Some(("data/kube-ovn/host.yaml", include_str!("../data/kube-ovn/host.yaml"))),
    },
    Folder {
        name: "kube-router",
        rules: &[("data/kube-router/rules.yaml", include_str!("../data/kube-router/rules.yaml"))],
        support: Some(("data/kube-router/support.yaml", include_str!("../data/kube-router/support.yaml"))),
        defaults: None,
        backup: Some(("data/kube-router/backup.yaml", include_str!("../data/kube-router/backup.yaml"))),
        host: Some(("data/kube-router/host.yaml", include_str!("../data/kube-router/host.yaml"))),
    },
    Folder {
        name: "multus",
        rules: &[("data/multus/rules.yaml", include_str!("../data/multus/rules.yaml"))],
        support: Some(("data/multus/support.yaml", include_str!("../data/multus/support.yaml"))),
        defaults: None,
        backup: Some(("data/multus/backup.yaml", include_str!("../data/multus/backup.yaml"))),
        host: Some(("data/multus/host.yaml", include_str!("../data/multus/host.yaml"))),
    },
    Folder {
        name: "ovn-kubernetes",
        rules: &[],
        support: Some(("data/ovn-kubernetes/support.yaml", include_str!("../data/ovn-kubernetes/support.yaml"))),
        defaults: None,
        backup: Some(("data/ovn-kubernetes/backup.yaml", include_str!("../data/ovn-kubernetes/backup.yaml"))),
        host: Some(("data/ovn-kubernetes/host.yaml", include_str!("../data/ovn-kubernetes/host.yaml"))),
    },
    Folder {
        name: "spiderpool",
        rules: &[],
        support: Some(("data/spiderpool/support.yaml", include_str!("../data/spiderpool/support.yaml"))),
        defaults: None,
        backup: Some(("data/spiderpool/backup.yaml", include_str!("../data/spiderpool/backup.yaml"))),
        host: Some(("data/spiderpool/host.yaml", include_str!("../data/spiderpool/host.yaml"))),
    },
    Folder {
        name: "weave",
        rules: &[("data/weave/rules.yaml", include_str!("../data/weave/rules.yaml"))],
        support: Some(("data/weave/support.yaml", include_str!("../data/weave/support.yaml"))),
        defaults: None,
        backup: Some(("data/weave/backup.yaml", include_str!("../data/weave/backup.yaml"))),
        host: Some(("data/weave/host.yaml", include_str!("../data/weave/host.yaml"))),
    },
];

/// Ways from one CNI to another.
pub(crate) const MIGRATIONS: &[File] = &[
    ("data/migration/any-antrea.yaml", include_str!("../data/migration/any-antrea.yaml")),
    ("data/migration/calico-cilium.yaml", include_str!("../data/migration/calico-cilium.yaml")),
    ("data/migration/canal-cilium.yaml", include_str!("../data/migration/canal-cilium.yaml")),
    ("data/migration/cilium-any.yaml", include_str!("../data/migration/cilium-any.yaml")),
    ("data/migration/flannel-calico.yaml", include_str!("../data/migration/flannel-calico.yaml")),
    ("data/migration/flannel-cilium.yaml", include_str!("../data/migration/flannel-cilium.yaml")),
    ("data/migration/methods.yaml", include_str!("../data/migration/methods.yaml")),
    ("data/migration/weave-any.yaml", include_str!("../data/migration/weave-any.yaml")),
];

/// What `policy_uses` refers to.
pub(crate) const POLICY_FEATURES: File = ("data/policy-features.yaml", include_str!("../data/policy-features.yaml"));

/// Upgrades that went wrong for others.
pub(crate) const INCIDENTS: File = ("data/incidents.yaml", include_str!("../data/incidents.yaml"));
