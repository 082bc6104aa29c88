//! The files of `data/`, compiled in. A test compares this list with the folder.

/// Name and text of each file, as [`Facts::with_overlay`](crate::Facts::with_overlay) takes them.
pub(crate) const FILES: &[(&str, &str)] = &[
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
