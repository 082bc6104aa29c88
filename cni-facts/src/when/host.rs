//! `host`: what something that runs on the nodes saw there. One node where it is so is enough.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::objects::some;
use super::{Ask, Look, Truth, logic, workloads};
use crate::schema::Pattern;
use crate::situation::{HostSeen, Need, Part};

/// The condition; one of the first group says what is looked at, the second what is asked of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    file: Option<String>,
    iface: Option<String>,
    iptables_chain: Option<String>,
    iptables_variants: Option<Variants>,
    nft_table: Option<String>,
    sysctl: Option<String>,
    mount: Option<String>,
    port: Option<u16>,
    port_of_target: Option<bool>,
    main_cni_files_gt: Option<usize>,

    present: Option<bool>,
    absent: Option<bool>,
    matches: Option<Pattern>,
    lacks: Option<Pattern>,
    equals: Option<String>,
    in_use: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Variants {
    /// Both iptables-legacy and iptables-nft hold rules.
    Both,
}

/// What is asked of a node.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Form")]
pub(super) enum Host {
    /// A file is there (or not).
    File(String, bool),
    /// A file is there and has text that matches.
    FileMatches(String, Pattern),
    /// No text in the file matches; a file that is not there has none.
    FileLacks(String, Pattern),
    /// A network device is there.
    Interface(String, bool),
    /// A chain with rules is there, in either variant of iptables.
    Chain(String, bool),
    /// Both variants of iptables hold rules.
    BothVariants,
    /// An nftables table is there.
    Table(String, bool),
    /// A kernel setting has this value.
    Sysctl(String, String),
    /// Something is mounted there.
    Mount(String, bool),
    /// Something listens on the port.
    Port(u16),
    /// Something listens on a port that the target takes on nodes and the running version does not.
    PortOfTarget,
    /// More main CNI configurations than this.
    MainCniFilesGt(usize),
}

impl TryFrom<Form> for Host {
    type Error = String;

    fn try_from(form: Form) -> Result<Self, String> {
        let there = match (form.present, form.absent) {
            (Some(wanted), None) => Ok(wanted),
            (None, Some(unwanted)) => Ok(!unwanted),
            _ => Err("needs one of `present: true` and `absent: true`".to_owned()),
        };
        let host = match form {
            Form { file: Some(file), matches: Some(pattern), .. } => Self::FileMatches(file, pattern),
            Form { file: Some(file), lacks: Some(pattern), .. } => Self::FileLacks(file, pattern),
            Form { file: Some(file), .. } => Self::File(file, there?),
            Form { iface: Some(name), .. } => Self::Interface(name, there?),
            Form { iptables_chain: Some(name), .. } => Self::Chain(name, there?),
            Form { iptables_variants: Some(Variants::Both), .. } => Self::BothVariants,
            Form { nft_table: Some(name), .. } => Self::Table(name, there?),
            Form { sysctl: Some(name), equals: Some(value), .. } => Self::Sysctl(name, value),
            Form { sysctl: Some(_), .. } => return Err("`sysctl` needs `equals`".to_owned()),
            Form { mount: Some(path), .. } => Self::Mount(path, there?),
            Form { port: Some(port), in_use: Some(true), .. } => Self::Port(port),
            Form { port_of_target: Some(true), in_use: Some(true), .. } => Self::PortOfTarget,
            Form { port: Some(_), .. } | Form { port_of_target: Some(_), .. } => {
                return Err("`port` needs `in_use: true`".to_owned());
            }
            Form { main_cni_files_gt: Some(number), .. } => Self::MainCniFilesGt(number),
            _ => {
                return Err(
                    "a host condition looks at one of file, iface, iptables_chain, iptables_variants, nft_table, \
                            sysctl, mount, port, port_of_target, main_cni_files_gt"
                        .to_owned(),
                );
            }
        };
        Ok(host)
    }
}

/// Whether one of the names is (or is not) there.
fn among(names: &Part<BTreeSet<String>>, name: &str, wanted: bool, what: &str) -> Truth {
    match names {
        Part::Known(names) => there(names.contains(name), wanted, what),
        Part::Absent => there(false, wanted, what),
        Part::Unknown(why) => Truth::unknown(format!("{what}: {why}")),
    }
}

fn there(is_there: bool, wanted: bool, what: &str) -> Truth {
    let seen = if is_there { format!("{what} is there") } else { format!("{what} is not there") };
    Truth::when(is_there == wanted, seen)
}

impl Host {
    fn on(&self, host: &HostSeen, look: &Look<'_>) -> Truth {
        let not_read = || Part::Unknown("it was not looked at".to_owned());
        match self {
            Self::File(path, wanted) => match host.files.get(path) {
                Some(Part::Known(_)) => there(true, *wanted, path),
                Some(Part::Absent) => there(false, *wanted, path),
                Some(Part::Unknown(why)) => Truth::unknown(format!("{path}: {why}")),
                None => Truth::unknown(format!("{path}: it was not looked at")),
            },
            Self::FileMatches(path, pattern) => match host.files.get(path).cloned().unwrap_or_else(not_read) {
                Part::Known(text) => {
                    let matches = pattern.is_match(&text);
                    let seen = if matches { "matches" } else { "does not match" };
                    Truth::when(matches, format!("{path} {seen} /{}/", pattern.as_str()))
                }
                Part::Absent => Truth::not(format!("{path} is not there")),
                Part::Unknown(why) => Truth::unknown(format!("{path}: {why}")),
            },
            Self::FileLacks(path, pattern) => match host.files.get(path).cloned().unwrap_or_else(not_read) {
                Part::Known(text) => {
                    let lacks = !pattern.is_match(&text);
                    let seen = if lacks { "does not have the setting" } else { "has the setting" };
                    Truth::when(lacks, format!("{path} {seen}"))
                }
                Part::Absent => Truth::holds(format!("{path} is not there, so it does not have the setting")),
                Part::Unknown(why) => Truth::unknown(format!("{path}: {why}")),
            },
            Self::Interface(name, wanted) => among(&host.interfaces, name, *wanted, &format!("device {name}")),
            Self::Chain(name, wanted) => match &host.iptables {
                Part::Known(chains) => {
                    let is_there = chains.legacy.contains(name) || chains.nft.contains(name);
                    there(is_there, *wanted, &format!("chain {name}"))
                }
                Part::Absent => there(false, *wanted, &format!("chain {name}")),
                Part::Unknown(why) => Truth::unknown(format!("iptables: {why}")),
            },
            Self::BothVariants => match &host.iptables {
                Part::Known(chains) => {
                    let both = !chains.legacy.is_empty() && !chains.nft.is_empty();
                    let seen = match both {
                        true => "has rules in iptables-legacy and in iptables-nft",
                        false => "has rules in one variant of iptables at most",
                    };
                    Truth::when(both, seen)
                }
                Part::Absent => Truth::not("has no iptables"),
                Part::Unknown(why) => Truth::unknown(format!("iptables: {why}")),
            },
            Self::Table(name, wanted) => among(&host.nft_tables, name, *wanted, &format!("nftables table {name}")),
            Self::Sysctl(name, value) => match host.sysctls.get(name) {
                Some(Part::Known(own)) => Truth::when(own.trim() == value, format!("{name} is {}", own.trim())),
                Some(Part::Absent) => Truth::not(format!("there is no {name}")),
                Some(Part::Unknown(why)) => Truth::unknown(format!("{name}: {why}")),
                None => Truth::unknown(format!("{name}: it was not looked at")),
            },
            Self::Mount(path, wanted) => among(&host.mounts, path, *wanted, &format!("a mount at {path}")),
            Self::Port(port) => ports(host, look, &BTreeSet::from([*port])),
            Self::PortOfTarget => match workloads::target(look) {
                Ok(target) => {
                    let wanted: BTreeSet<u16> =
                        target.iter().flat_map(|workload| workload.host_ports.iter().copied()).collect();
                    ports(host, look, &wanted)
                }
                Err(unknown) => unknown,
            },
            Self::MainCniFilesGt(number) => match &host.main_cni_files {
                Part::Known(files) => {
                    Truth::when(files.len() > *number, format!("main CNI configurations: {}", files.join(", ")))
                }
                Part::Absent => Truth::not("has no CNI configuration"),
                Part::Unknown(why) => Truth::unknown(format!("CNI configurations: {why}")),
            },
        }
    }

    fn need(&self) -> Need {
        match self {
            Self::File(path, _) | Self::FileMatches(path, _) | Self::FileLacks(path, _) => Need::HostFile(path.clone()),
            Self::Sysctl(name, _) => Need::HostSysctl(name.clone()),
            Self::Interface(..) => Need::Host("interfaces"),
            Self::Chain(..) | Self::BothVariants => Need::Host("iptables"),
            Self::Table(..) => Need::Host("nft_tables"),
            Self::Mount(..) => Need::Host("mounts"),
            Self::Port(_) | Self::PortOfTarget => Need::Host("ports_in_use"),
            Self::MainCniFilesGt(_) => Need::Host("main_cni_files"),
        }
    }
}

/// Whether one of the ports is taken by something else than the running version of the CNI.
fn ports(host: &HostSeen, look: &Look<'_>, wanted: &BTreeSet<u16>) -> Truth {
    let in_use = match &host.ports_in_use {
        Part::Known(ports) => ports,
        Part::Absent => return Truth::not("nothing listens"),
        Part::Unknown(why) => return Truth::unknown(format!("ports in use: {why}")),
    };
    let taken: BTreeSet<u16> = wanted.intersection(in_use).copied().collect();
    if taken.is_empty() {
        return Truth::not("none of the ports is in use");
    }
    // The running version frees its ports before the new one takes them.
    let own: BTreeSet<u16> = match &look.situation.workloads {
        Part::Known(all) => all.iter().filter(|one| one.own).flat_map(|one| one.host_ports.iter().copied()).collect(),
        Part::Absent => BTreeSet::new(),
        Part::Unknown(why) => return Truth::unknown(format!("whose ports are in use: {why}")),
    };
    let foreign: Vec<String> = taken.difference(&own).map(u16::to_string).collect();
    match foreign.is_empty() {
        true => Truth::not("only the running version uses these ports"),
        false => Truth::holds(format!("port {} is in use", foreign.join(", "))),
    }
}

impl Ask for Host {
    fn answer(&self, look: &Look<'_>) -> Truth {
        let hosts = &look.situation.hosts;
        if hosts.is_empty() {
            return Truth::unknown(format!("{}: no node was looked at from inside", self.words()));
        }
        let (mut seen, mut answers) = (Vec::new(), Vec::new());
        for (name, host) in hosts {
            match self.on(host, look) {
                Truth::Holds { because } => seen.push(format!("{name}: {because}")),
                Truth::DoesNotHold { because } => answers.push(Truth::not(because)),
                Truth::Unknown { why } => answers.push(Truth::unknown(format!("node {name}: {why}"))),
            }
        }
        match seen.is_empty() {
            true => logic::any(answers),
            false => Truth::holds(format!("node {}", some(&seen))),
        }
    }

    fn needs(&self, into: &mut BTreeSet<Need>) {
        into.insert(self.need());
        if matches!(self, Self::Port(_) | Self::PortOfTarget) {
            into.insert(Need::Workloads);
        }
        if matches!(self, Self::PortOfTarget) {
            into.insert(Need::TargetWorkloads);
        }
    }

    fn words(&self) -> String {
        let there =
            |what: String, wanted: &bool| format!("on a node {what} is {}there", if *wanted { "" } else { "not " });
        match self {
            Self::File(path, wanted) => there(path.clone(), wanted),
            Self::FileMatches(path, pattern) => format!("on a node {path} matches /{}/", pattern.as_str()),
            Self::FileLacks(path, pattern) => {
                format!("on a node {path} has nothing that matches /{}/", pattern.as_str())
            }
            Self::Interface(name, wanted) => there(format!("device {name}"), wanted),
            Self::Chain(name, wanted) => there(format!("iptables chain {name}"), wanted),
            Self::BothVariants => "on a node both iptables-legacy and iptables-nft hold rules".to_owned(),
            Self::Table(name, wanted) => there(format!("nftables table {name}"), wanted),
            Self::Sysctl(name, value) => format!("on a node {name} is {value}"),
            Self::Mount(path, wanted) => there(format!("a mount at {path}"), wanted),
            Self::Port(port) => format!("on a node something else listens on port {port}"),
            Self::PortOfTarget => "on a node something else listens on a port that the target takes".to_owned(),
            Self::MainCniFilesGt(number) => format!("a node has more than {number} main CNI configuration"),
        }
    }
}
