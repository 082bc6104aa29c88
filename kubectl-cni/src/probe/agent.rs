//! The embedded agent programs.

include!(concat!(env!("OUT_DIR"), "/agents.rs"));

/// Largest agent we accept; it has to fit into a ConfigMap (1 MiB) beside its siblings with room to spare.
pub const MAX_BYTES: usize = 64 * 1024;

/// The agent for an architecture as Kubernetes names it ("amd64").
pub fn for_arch(arch: &str) -> Option<&'static [u8]> {
    AGENTS.iter().find(|(name, _)| *name == arch).map(|(_, bytes)| *bytes)
}

/// Architectures with an agent.
pub fn architectures() -> Vec<&'static str> {
    AGENTS.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_small_static_elf_programs() {
        assert!(for_arch("amd64").is_some());
        for (arch, bytes) in AGENTS {
            assert!(bytes.starts_with(b"\x7fELF"), "{arch}");
            assert!(bytes.len() <= MAX_BYTES, "{arch}: {} bytes", bytes.len());
        }
    }
}
