//! What to expect of a NetworkPolicy: a CNI's facts and what was seen of it in, one of three answers out.

/// What to expect of a NetworkPolicy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enforcement {
    /// It is enforced.
    Enforces,
    /// It has no effect.
    DoesNot,
    /// It cannot be told from the API; the text says what decides.
    Depends(String),
}

/// What to expect in a cluster with these CNIs: one that enforces is enough.
pub fn cluster_enforcement(detections: &[crate::Detection]) -> Enforcement {
    let _ = detections;
    Enforcement::DoesNot
}
