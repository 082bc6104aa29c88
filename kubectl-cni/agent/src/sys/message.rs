//! `recvmsg` and `sendmsg`: datagrams with the address they were sent to, and the error queue, which names who sent an ICMP error.

use core::net::{IpAddr, SocketAddr};

use super::socket::{IP_PKTINFO, IPV6_PKTINFO, decode, encode, ip4, ip6};
use super::{EINVAL, Errno, Fd, Result, checked, nr};

/// `struct msghdr` and `struct iovec` of 64-bit Linux.
#[repr(C)]
struct Message {
    name: usize,
    name_length: usize,
    vector: usize,
    vector_length: usize,
    control: usize,
    control_length: usize,
    flags: usize,
}

#[repr(C)]
struct Vector {
    base: usize,
    length: usize,
}

/// A control message as the kernel lays it out: length (8 bytes), level (4), type (4), data. 64-bit words keep it aligned.
type Control = [u64; 32];

fn control_bytes(control: &Control, at: usize) -> [u8; 32] {
    let mut bytes = [0u8; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        let position = at + index;
        *byte = control.get(position / 8).map_or(0, |word| word.to_ne_bytes()[position % 8]);
    }
    bytes
}

/// A datagram: its length, who sent it, and which of our addresses it was sent to.
pub struct Datagram {
    pub length: usize,
    pub from: SocketAddr,
    pub to: Option<IpAddr>,
}

/// Receives on a socket that asked for [`packet_info`].
pub fn recv_datagram(fd: &Fd, buffer: &mut [u8]) -> Result<Datagram> {
    let mut raw = [0u8; 28];
    let mut control: Control = [0; 32];
    let vector = Vector { base: buffer.as_mut_ptr() as usize, length: buffer.len() };
    let mut message = Message {
        name: raw.as_mut_ptr() as usize,
        name_length: raw.len(),
        vector: &vector as *const Vector as usize,
        vector_length: 1,
        control: control.as_mut_ptr() as usize,
        control_length: 256,
        flags: 0,
    };
    let length = syscall!(RECVMSG, fd.0, &mut message as *mut Message, 0)?;
    let from = decode(&raw).ok_or(EINVAL)?;
    let head = control_bytes(&control, 0);
    let data = control_bytes(&control, 16);
    let (level, kind) = (
        i32::from_ne_bytes([head[8], head[9], head[10], head[11]]),
        i32::from_ne_bytes([head[12], head[13], head[14], head[15]]),
    );
    let to = match (message.control_length >= 16, level, kind) {
        (true, 0, IP_PKTINFO) => Some(ip4(&data[4..8])), // ipi_spec_dst: the local address of the packet
        (true, 41, IPV6_PKTINFO) => Some(ip6(&data[..16])),
        _ => None,
    };
    Ok(Datagram { length, from, to })
}

/// Answers from the address that was asked, so that the peer knows the answer as one.
pub fn send_datagram(fd: &Fd, bytes: &[u8], to: &SocketAddr, from: Option<IpAddr>) -> Result<usize> {
    let raw = encode(to);
    let mut control: Control = [0; 32];
    let words = |control: &mut Control, length: usize, level: u32, kind: u32| {
        control[0] = length as u64;
        let mut word = [0u8; 8];
        word[..4].copy_from_slice(&level.to_ne_bytes());
        word[4..].copy_from_slice(&kind.to_ne_bytes());
        control[1] = u64::from_ne_bytes(word);
    };
    let control_length = match from {
        Some(IpAddr::V4(v4)) => {
            words(&mut control, 16 + 12, 0, IP_PKTINFO as u32);
            let mut word = [0u8; 8];
            word[4..].copy_from_slice(&v4.octets());
            control[2] = u64::from_ne_bytes(word);
            32
        }
        Some(IpAddr::V6(v6)) => {
            words(&mut control, 16 + 20, 41, IPV6_PKTINFO as u32);
            for (index, chunk) in v6.octets().chunks_exact(8).enumerate() {
                let mut word = [0u8; 8];
                word.copy_from_slice(chunk);
                control[2 + index] = u64::from_ne_bytes(word);
            }
            40
        }
        None => 0,
    };
    let vector = Vector { base: bytes.as_ptr() as usize, length: bytes.len() };
    let message = Message {
        name: raw.0.as_ptr() as usize,
        name_length: raw.1 as usize,
        vector: &vector as *const Vector as usize,
        vector_length: 1,
        control: control.as_ptr() as usize,
        control_length,
        flags: 0,
    };
    syscall!(SENDMSG, fd.0, &message as *const Message, 0x4000)
}

/// An entry of a socket's error queue.
pub struct QueuedError {
    pub errno: Errno,
    /// Type and code, when ICMP brought it.
    pub icmp: Option<(u8, u8)>,
    pub from: Option<IpAddr>,
}

/// The oldest entry of the error queue.
pub fn queued_error(fd: &Fd) -> Option<QueuedError> {
    let mut data = [0u8; 64];
    let mut control: Control = [0; 32];
    let vector = Vector { base: data.as_mut_ptr() as usize, length: data.len() };
    let mut message = Message {
        name: 0,
        name_length: 0,
        vector: &vector as *const Vector as usize,
        vector_length: 1,
        control: control.as_mut_ptr() as usize,
        control_length: 256,
        flags: 0,
    };
    syscall!(RECVMSG, fd.0, &mut message as *mut Message, 0x2000).ok()?;
    if message.control_length < 16 + 16 {
        return None;
    }
    // struct sock_extended_err: errno (4), origin (1), type (1), code (1), pad (1), info (4), data (4); then the offender's sockaddr.
    let error = control_bytes(&control, 16);
    let offender = control_bytes(&control, 32);
    let origin = error[4];
    Some(QueuedError {
        errno: u32::from_ne_bytes([error[0], error[1], error[2], error[3]]) as Errno,
        icmp: matches!(origin, 2 | 3).then_some((error[5], error[6])),
        from: decode(&offender).map(|address| address.ip()),
    })
}
