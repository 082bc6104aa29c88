//! Sockets: addresses as the kernel lays them out, and the options that probing needs.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Errno, Fd, NONBLOCK_CLOEXEC, Result, checked, nr};

/// Transport of a socket.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Tcp,
    Udp,
    Sctp,
}

/// `sockaddr_in` or `sockaddr_in6` as bytes, with its length.
pub(super) struct RawAddress(pub(super) [u8; 28], pub(super) u32);

pub(super) fn encode(address: &SocketAddr) -> RawAddress {
    let mut bytes = [0u8; 28];
    bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
    match address {
        SocketAddr::V4(v4) => {
            bytes[..2].copy_from_slice(&2u16.to_ne_bytes());
            bytes[4..8].copy_from_slice(&v4.ip().octets());
            RawAddress(bytes, 16)
        }
        SocketAddr::V6(v6) => {
            bytes[..2].copy_from_slice(&10u16.to_ne_bytes());
            bytes[8..24].copy_from_slice(&v6.ip().octets());
            bytes[24..28].copy_from_slice(&v6.scope_id().to_ne_bytes());
            RawAddress(bytes, 28)
        }
    }
}

pub(super) fn decode(bytes: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]);
    match u16::from_ne_bytes([bytes[0], bytes[1]]) {
        2 => Some(SocketAddr::new(ip4(bytes.get(4..8)?), port)),
        10 => Some(SocketAddr::new(ip6(bytes.get(8..24)?), port)),
        _ => None,
    }
}

pub(super) fn ip4(bytes: &[u8]) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]))
}

pub(super) fn ip6(bytes: &[u8]) -> IpAddr {
    let mut octets = [0u8; 16];
    octets.copy_from_slice(bytes);
    IpAddr::V6(Ipv6Addr::from(octets))
}

pub fn socket(v6: bool, transport: Transport) -> Result<Fd> {
    let (kind, protocol) = match transport {
        Transport::Tcp => (1, 0),
        Transport::Udp => (2, 0),
        Transport::Sctp => (1, 132),
    };
    syscall!(SOCKET, if v6 { 10 } else { 2 }, kind | NONBLOCK_CLOEXEC, protocol).map(|fd| Fd(fd as i32))
}

pub fn connect(fd: &Fd, to: &SocketAddr) -> Result<()> {
    let raw = encode(to);
    syscall!(CONNECT, fd.0, raw.0.as_ptr(), raw.1).map(|_| ())
}

pub fn bind(fd: &Fd, at: &SocketAddr) -> Result<()> {
    let raw = encode(at);
    syscall!(BIND, fd.0, raw.0.as_ptr(), raw.1).map(|_| ())
}

pub fn listen(fd: &Fd, backlog: usize) -> Result<()> {
    syscall!(LISTEN, fd.0, backlog).map(|_| ())
}

/// The next connection and who made it.
pub fn accept(fd: &Fd) -> Result<(Fd, Option<SocketAddr>)> {
    let (mut raw, mut length) = ([0u8; 28], 28u32);
    let accepted = syscall!(ACCEPT4, fd.0, raw.as_mut_ptr(), &mut length as *mut u32, NONBLOCK_CLOEXEC)?;
    Ok((Fd(accepted as i32), decode(&raw)))
}

/// To the connected peer, without SIGPIPE.
pub fn send(fd: &Fd, bytes: &[u8]) -> Result<usize> {
    syscall!(SENDTO, fd.0, bytes.as_ptr(), bytes.len(), 0x4000, 0, 0)
}

pub fn recv(fd: &Fd, buffer: &mut [u8]) -> Result<usize> {
    syscall!(RECVFROM, fd.0, buffer.as_mut_ptr(), buffer.len(), 0, 0, 0)
}

const IP_MTU_DISCOVER: i32 = 10;
const IP_RECVERR: i32 = 11;
const IP_MTU: i32 = 14;
pub(super) const IP_PKTINFO: i32 = 8;
const IPV6_MTU_DISCOVER: i32 = 23;
const IPV6_MTU: i32 = 24;
const IPV6_RECVERR: i32 = 25;
const IPV6_V6ONLY: i32 = 26;
const IPV6_RECVPKTINFO: i32 = 49;
pub(super) const IPV6_PKTINFO: i32 = 50;

fn set(fd: &Fd, level: i32, name: i32, value: i32) -> Result<()> {
    syscall!(SETSOCKOPT, fd.0, level, name, &value as *const i32, 4).map(|_| ())
}

fn get(fd: &Fd, level: i32, name: i32) -> Result<i32> {
    let (mut value, mut length) = (0i32, 4u32);
    syscall!(GETSOCKOPT, fd.0, level, name, &mut value as *mut i32, &mut length as *mut u32)?;
    Ok(value)
}

pub fn reuse_address(fd: &Fd) -> Result<()> {
    set(fd, 1, 2, 1)
}

pub fn v6_only(fd: &Fd) -> Result<()> {
    set(fd, 41, IPV6_V6ONLY, 1)
}

pub fn no_delay(fd: &Fd) -> Result<()> {
    set(fd, 6, 1, 1)
}

/// Closing resets the connection, so that thousands of probes leave no TIME_WAIT behind.
pub fn reset_on_close(fd: &Fd) -> Result<()> {
    let linger = [1i32, 0];
    syscall!(SETSOCKOPT, fd.0, 1, 13, linger.as_ptr(), 8).map(|_| ())
}

/// ICMP errors are queued with their sender, also on UDP.
pub fn report_errors(fd: &Fd, v6: bool) -> Result<()> {
    if v6 { set(fd, 41, IPV6_RECVERR, 1) } else { set(fd, 0, IP_RECVERR, 1) }
}

/// Each datagram comes with the address it was sent to.
pub fn packet_info(fd: &Fd, v6: bool) -> Result<()> {
    if v6 { set(fd, 41, IPV6_RECVPKTINFO, 1) } else { set(fd, 0, IP_PKTINFO, 1) }
}

/// Don't fragment. `probe` also ignores what the kernel learnt of the path before, so that the route's own MTU is what is tried.
pub fn dont_fragment(fd: &Fd, v6: bool, probe: bool) -> Result<()> {
    let value = if probe { 3 } else { 2 };
    if v6 { set(fd, 41, IPV6_MTU_DISCOVER, value) } else { set(fd, 0, IP_MTU_DISCOVER, value) }
}

/// MTU of the route of a connected socket.
pub fn route_mtu(fd: &Fd, v6: bool) -> Result<u32> {
    let mtu = if v6 { get(fd, 41, IPV6_MTU) } else { get(fd, 0, IP_MTU) };
    mtu.map(|mtu| mtu.max(0) as u32)
}

/// The pending error of a socket, 0 if none; reading clears it.
pub fn socket_error(fd: &Fd) -> Errno {
    get(fd, 1, 4).map_or_else(|errno| errno, |value| value as Errno)
}

/// Round-trip time in microseconds, and retransmissions so far, from `TCP_INFO`.
pub fn tcp_info(fd: &Fd) -> (u32, u32) {
    let (mut info, mut length) = ([0u32; 26], 104u32);
    match syscall!(GETSOCKOPT, fd.0, 6, 11, info.as_mut_ptr(), &mut length as *mut u32) {
        Ok(_) => (info[17], info[25]), // tcpi_rtt at byte 68, tcpi_total_retrans at byte 100
        Err(_) => (0, 0),
    }
}
