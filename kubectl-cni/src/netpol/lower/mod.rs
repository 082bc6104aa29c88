//! Kubernetes objects in; our own types and notes on what is odd about the objects out. Nothing here fails on a part: a part that cannot be
//! read matches nothing, and the note says so. Only an object that cannot be placed or decoded at all is an error.

pub mod cluster_policy;
pub mod inventory;
pub mod network_policy;
mod parts;

use std::fmt;

/// Something about an object that its author will not have meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The object, as `Kind namespace/name`.
    pub object: String,
    /// Where in it, as `spec.ingress[0].from[1]`.
    pub path: String,
    /// What it is.
    pub odd: Odd,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}: {}", self.object, self.path, self.odd)
    }
}

/// The kinds of oddity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Odd {
    /// A selector requirement with an unknown operator, or with values where there must be none or the other way round.
    Selector(String),
    /// The selector of a policy's own pods cannot be read: the policy is taken to isolate every pod of the namespace and to allow nothing.
    Subject,
    /// A policy type other than Ingress and Egress: the policy is taken to isolate in both directions.
    PolicyType(String),
    /// Rules for a direction that policyTypes does not list.
    InertRules,
    /// A peer with no field, or with fields that exclude one another.
    Peer,
    /// A CIDR that is none.
    Cidr(String),
    /// An except that is not inside its CIDR and smaller than it.
    Except(String),
    /// A protocol other than TCP, UDP and SCTP.
    Protocol(String),
    /// A port number outside 1 to 65535, or a name that no container port can have.
    Port(String),
    /// An endPort without a numeric port, or below it.
    EndPort(i32),
    /// A peer or protocol of a cluster-wide rule has no field this version knows: Accept matches nothing, Deny and Pass deny everything.
    UnknownField,
    /// A priority outside 0 to 1000.
    Priority(i64),
    /// domainNames in a rule that is not Accept.
    DomainNames,
}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Odd::Selector(what) => write!(f, "selector requirement {what} is not valid and selects nothing"),
            Odd::Subject => write!(f, "not a valid selector; read as isolating every pod of the namespace"),
            Odd::PolicyType(what) => {
                write!(f, "policy type {what:?} is not known; read as isolating in both directions")
            }
            Odd::InertRules => write!(f, "these rules do nothing: policyTypes does not list their direction"),
            Odd::Peer => write!(f, "not a valid peer; matches nobody"),
            Odd::Cidr(what) => write!(f, "{what:?} is not a CIDR; matches nobody"),
            Odd::Except(what) => write!(f, "except {what:?} is not inside its cidr; the whole block matches nobody"),
            Odd::Protocol(what) => write!(f, "protocol {what:?} is not TCP, UDP or SCTP; matches nothing"),
            Odd::Port(what) => write!(f, "{what:?} is not a port; matches nothing"),
            Odd::EndPort(what) => {
                write!(f, "endPort {what} needs a numeric port that is not above it; matches nothing")
            }
            Odd::UnknownField => {
                write!(f, "no field this version knows; the rule fails closed (Accept matches nothing, else deny all)")
            }
            Odd::Priority(what) => write!(f, "priority {what} is outside 0 to 1000"),
            Odd::DomainNames => write!(f, "domainNames are for Accept rules only; the rule fails closed"),
        }
    }
}

/// Why an object could not be taken in at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LowerError {
    /// No name, or no namespace where the kind needs one.
    Nameless(String),
    /// Not an object of its kind: the reason.
    Decode(String),
    /// A cluster-wide policy whose subject has no field this version knows; whom it applies to cannot be told.
    Subject(String),
}

impl fmt::Display for LowerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LowerError::Nameless(object) => write!(f, "{object} has no name or no namespace"),
            LowerError::Decode(why) => write!(f, "{why}"),
            LowerError::Subject(object) => write!(f, "{object}: spec.subject has no field this version knows"),
        }
    }
}

impl std::error::Error for LowerError {}

/// Collects the notes of one object.
struct Notes {
    object: String,
    notes: Vec<Note>,
}

impl Notes {
    fn of(object: String) -> Notes {
        Notes { object, notes: Vec::new() }
    }

    fn add(&mut self, path: &str, odd: Odd) {
        self.notes.push(Note { object: self.object.clone(), path: path.to_owned(), odd });
    }
}
