//! Text in, address ranges out. IPv4 and IPv6 never mix.

use std::fmt;
use std::net::IpAddr;

/// An address range with its host bits cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

impl Cidr {
    /// Reads `ADDRESS/PREFIX`; `None` for anything else. Host bits are cleared, as the API server's parser does.
    pub fn parse(text: &str) -> Option<Cidr> {
        let (address, prefix) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Cidr::new(address, prefix.parse().ok()?)
    }

    /// The range of this prefix length around an address; `None` where the family has no such length.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Cidr> {
        let width = width(address);
        if prefix > width {
            return None;
        }
        let bits = masked(bits(address), width - prefix);
        let network = match address {
            IpAddr::V4(_) => IpAddr::V4(u32::try_from(bits).ok()?.into()),
            IpAddr::V6(_) => IpAddr::V6(bits.into()),
        };
        Some(Cidr { network, prefix })
    }

    /// Whether the address lies in the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        let width = width(self.network);
        width == self::width(address) && masked(bits(address), width - self.prefix) == bits(self.network)
    }

    /// Whether `inner` lies in the range and is smaller than it.
    pub fn strictly_contains(&self, inner: &Cidr) -> bool {
        self.contains(inner.network) && inner.prefix > self.prefix
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

fn masked(bits: u128, host_bits: u8) -> u128 {
    bits.checked_shr(host_bits.into()).and_then(|bits| bits.checked_shl(host_bits.into())).unwrap_or(0)
}
