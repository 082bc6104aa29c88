//! Kernel floors: a node's kernel and operating system in, whether it is new enough out.

use serde::Deserialize;

use crate::version::Version;

/// The backport that a floor accepts: kernels of the RHEL family carry features of newer ones.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RhelBackport {
    /// First release of the family that has it: `8.6`.
    pub min: Version,
    /// Its kernel: `4.18`.
    pub kernel: Version,
}

/// Whether a kernel is below a floor; `Err` says why it cannot be told.
pub(crate) fn below(
    floor: &Version,
    rhel: Option<&RhelBackport>,
    kernel: &str,
    os_image: &str,
) -> Result<bool, String> {
    let version = Version::of_kernel(kernel).map_err(|error| error.to_string())?;
    if version >= *floor {
        return Ok(false);
    }
    let Some(rhel) = rhel else { return Ok(true) };
    let same_line = version.same_minor(&rhel.kernel);
    if !same_line || !is_rhel(kernel, os_image) {
        return Ok(true);
    }
    match rhel_release(kernel, os_image) {
        Some(release) => Ok(release < rhel.min),
        None => Err(format!("which release of its RHEL family it is cannot be told from {kernel:?} and {os_image:?}")),
    }
}

/// Kernels of the family say so (`.el8`), and so do the names of its members.
fn is_rhel(kernel: &str, os_image: &str) -> bool {
    let names = ["Red Hat", "Rocky", "AlmaLinux", "Alma Linux", "CentOS", "Oracle Linux"];
    kernel.contains(".el") || names.iter().any(|name| os_image.contains(name))
}

/// `8.10` from `Rocky Linux 8.10 (Green Obsidian)`, or from `4.18.0-553.el8_10.x86_64`.
fn rhel_release(kernel: &str, os_image: &str) -> Option<Version> {
    let words = os_image.split([' ', '(', ')']);
    let of_name = words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).find_map(|word| {
        // CoreOS numbers its images by itself: 416.94.2024….
        let version = Version::parse_minor(word).ok()?;
        (version.major() < 100).then_some(version)
    });
    of_name.or_else(|| {
        let tail = kernel.split_once(".el")?.1;
        let (major, rest) = tail.split_once('_')?;
        let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Version::parse_minor(&format!("{major}.{minor}")).ok()
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn kernels_against_a_floor_with_a_backport() {
        let version = |text: &str| Version::parse_minor(text).unwrap();
        let rhel = RhelBackport { min: version("8.10"), kernel: version("4.18") };
        let cases = [
            ("6.8.0-45-generic", "Ubuntu 24.04.1 LTS", Ok(false)),
            ("5.4.0-200-generic", "Ubuntu 20.04.6 LTS", Ok(true)),
            ("5.10.0", "Debian GNU/Linux 11 (bullseye)", Ok(false)),
            ("4.18.0-553.16.1.el8_10.x86_64", "Rocky Linux 8.10 (Green Obsidian)", Ok(false)),
            ("4.18.0-477.27.1.el8_8.x86_64", "Red Hat Enterprise Linux 8.8 (Ootpa)", Ok(true)),
            ("4.18.0-553.el8_10.x86_64", "some appliance", Ok(false)),
            ("4.18.0-372.9.1.el8.x86_64", "some appliance", Err(())),
            ("4.18.0-193-generic", "Ubuntu 18.04", Ok(true)),
            ("3.10.0-1160.el7.x86_64", "CentOS Linux 7 (Core)", Ok(true)),
            ("unknown", "Ubuntu 22.04", Err(())),
        ];
        for (kernel, os_image, expected) in cases {
            let found = below(&version("5.10"), Some(&rhel), kernel, os_image).map_err(|_| ());
            assert_eq!(found, expected, "{kernel} on {os_image}");
        }
        assert_eq!(below(&version("5.10"), None, "4.18.0-553.el8_10.x86_64", "Rocky Linux 8.10"), Ok(true));
    }
}
