//! Linux system calls by inline assembly, and the few kernel structures they need. Safe functions out; with start.rs and mem.rs the only
//! home of `unsafe`.

use core::arch::asm;
use core::ffi::CStr;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A kernel error number, positive.
pub type Errno = u16;
/// Result of a system call.
pub type Result<T> = core::result::Result<T, Errno>;

#[cfg(target_arch = "x86_64")]
mod nr {
    pub const READ: usize = 0;
    pub const WRITE: usize = 1;
    pub const CLOSE: usize = 3;
    pub const MMAP: usize = 9;
    pub const SIGPROCMASK: usize = 14;
    pub const SOCKET: usize = 41;
    pub const CONNECT: usize = 42;
    pub const SENDTO: usize = 44;
    pub const RECVFROM: usize = 45;
    pub const SENDMSG: usize = 46;
    pub const RECVMSG: usize = 47;
    pub const BIND: usize = 49;
    pub const LISTEN: usize = 50;
    pub const SETSOCKOPT: usize = 54;
    pub const GETSOCKOPT: usize = 55;
    pub const CLOCK_GETTIME: usize = 228;
    pub const EXIT_GROUP: usize = 231;
    pub const EPOLL_CTL: usize = 233;
    pub const OPENAT: usize = 257;
    pub const PPOLL: usize = 271;
    pub const EPOLL_PWAIT: usize = 281;
    pub const ACCEPT4: usize = 288;
    pub const SIGNALFD4: usize = 289;
    pub const EPOLL_CREATE1: usize = 291;
    pub const PRLIMIT64: usize = 302;
    pub const GETRANDOM: usize = 318;
}
#[cfg(target_arch = "aarch64")]
mod nr {
    pub const READ: usize = 63;
    pub const WRITE: usize = 64;
    pub const CLOSE: usize = 57;
    pub const MMAP: usize = 222;
    pub const SIGPROCMASK: usize = 135;
    pub const SOCKET: usize = 198;
    pub const CONNECT: usize = 203;
    pub const SENDTO: usize = 206;
    pub const RECVFROM: usize = 207;
    pub const SENDMSG: usize = 211;
    pub const RECVMSG: usize = 212;
    pub const BIND: usize = 200;
    pub const LISTEN: usize = 201;
    pub const SETSOCKOPT: usize = 208;
    pub const GETSOCKOPT: usize = 209;
    pub const CLOCK_GETTIME: usize = 113;
    pub const EXIT_GROUP: usize = 94;
    pub const EPOLL_CTL: usize = 21;
    pub const OPENAT: usize = 56;
    pub const PPOLL: usize = 73;
    pub const EPOLL_PWAIT: usize = 22;
    pub const ACCEPT4: usize = 242;
    pub const SIGNALFD4: usize = 74;
    pub const EPOLL_CREATE1: usize = 20;
    pub const PRLIMIT64: usize = 261;
    pub const GETRANDOM: usize = 278;
}

/// The system call itself.
///
/// # Safety
///
/// The arguments must be valid for call `n`: pointers live, and as large as it writes.
#[cfg(target_arch = "x86_64")]
unsafe fn call(n: usize, a: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the kernel keeps every register but the result, rcx and r11; the caller vouches for the arguments.
    unsafe {
        asm!("syscall", inlateout("rax") n as isize => result, in("rdi") a[0], in("rsi") a[1], in("rdx") a[2], in("r10") a[3],
            in("r8") a[4], in("r9") a[5], lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    result
}
/// The system call itself.
///
/// # Safety
///
/// The arguments must be valid for call `n`: pointers live, and as large as it writes.
#[cfg(target_arch = "aarch64")]
unsafe fn call(n: usize, a: [usize; 6]) -> isize {
    let result: isize;
    // SAFETY: the kernel keeps every register but x0; the caller vouches for the arguments.
    unsafe {
        asm!("svc 0", in("x8") n, inlateout("x0") a[0] => result, in("x1") a[1], in("x2") a[2], in("x3") a[3], in("x4") a[4],
            in("x5") a[5], options(nostack));
    }
    result
}

/// Pads the arguments and splits error from result. Never inlined: a hundred copies would cost kilobytes.
///
/// # Safety
///
/// As [`call`].
#[inline(never)]
unsafe fn checked(n: usize, given: &[usize]) -> Result<usize> {
    let mut all = [0usize; 6];
    for (slot, value) in all.iter_mut().zip(given) {
        *slot = *value;
    }
    // SAFETY: the caller's word.
    let result = unsafe { call(n, all) };
    if result < 0 { Err((-result) as Errno) } else { Ok(result as usize) }
}

macro_rules! syscall {
    ($name:ident $(, $arg:expr)* $(,)?) => {
        // SAFETY: every pointer handed over in this file comes from a reference or slice that lives across the call, with its real length.
        unsafe { checked(nr::$name, &[$($arg as usize),*]) }
    };
}

pub const EPERM: Errno = 1;
pub const ENOENT: Errno = 2;
pub const EINTR: Errno = 4;
pub const EAGAIN: Errno = 11;
pub const EACCES: Errno = 13;
pub const EINVAL: Errno = 22;
pub const ENFILE: Errno = 23;
pub const EMFILE: Errno = 24;
pub const EFBIG: Errno = 27;
pub const EPIPE: Errno = 32;
pub const EMSGSIZE: Errno = 90;
pub const EPROTONOSUPPORT: Errno = 93;
pub const ESOCKTNOSUPPORT: Errno = 94;
pub const EAFNOSUPPORT: Errno = 97;
pub const ENETUNREACH: Errno = 101;
pub const ECONNRESET: Errno = 104;
pub const ETIMEDOUT: Errno = 110;
pub const ECONNREFUSED: Errno = 111;
pub const EHOSTUNREACH: Errno = 113;
pub const EINPROGRESS: Errno = 115;

/// An open file descriptor, closed when dropped.
pub struct Fd(i32);

impl Drop for Fd {
    fn drop(&mut self) {
        if self.0 > 2 {
            let _ = syscall!(CLOSE, self.0);
        }
    }
}

pub const STDIN: Fd = Fd(0);
pub const STDOUT: Fd = Fd(1);
pub const STDERR: Fd = Fd(2);

/// Transport of a socket.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Tcp,
    Udp,
    Sctp,
}

/// `sockaddr_in` or `sockaddr_in6` as bytes, with its length.
struct RawAddress([u8; 28], u32);

fn encode(address: &SocketAddr) -> RawAddress {
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

fn decode(bytes: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]);
    match u16::from_ne_bytes([bytes[0], bytes[1]]) {
        2 => Some(SocketAddr::new(ip4(bytes.get(4..8)?), port)),
        10 => Some(SocketAddr::new(ip6(bytes.get(8..24)?), port)),
        _ => None,
    }
}

fn ip4(bytes: &[u8]) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3]))
}

fn ip6(bytes: &[u8]) -> IpAddr {
    let mut octets = [0u8; 16];
    octets.copy_from_slice(bytes);
    IpAddr::V6(Ipv6Addr::from(octets))
}

const NONBLOCK_CLOEXEC: usize = 0o4000 | 0o2000000;

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

pub fn read(fd: &Fd, buffer: &mut [u8]) -> Result<usize> {
    syscall!(READ, fd.0, buffer.as_mut_ptr(), buffer.len())
}

pub fn write(fd: &Fd, bytes: &[u8]) -> Result<usize> {
    syscall!(WRITE, fd.0, bytes.as_ptr(), bytes.len())
}

/// To the connected peer, without SIGPIPE.
pub fn send(fd: &Fd, bytes: &[u8]) -> Result<usize> {
    syscall!(SENDTO, fd.0, bytes.as_ptr(), bytes.len(), 0x4000, 0, 0)
}

pub fn recv(fd: &Fd, buffer: &mut [u8]) -> Result<usize> {
    syscall!(RECVFROM, fd.0, buffer.as_mut_ptr(), buffer.len(), 0, 0, 0)
}

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

const IP_MTU_DISCOVER: i32 = 10;
const IP_RECVERR: i32 = 11;
const IP_MTU: i32 = 14;
const IP_PKTINFO: i32 = 8;
const IPV6_MTU_DISCOVER: i32 = 23;
const IPV6_MTU: i32 = 24;
const IPV6_RECVERR: i32 = 25;
const IPV6_V6ONLY: i32 = 26;
const IPV6_RECVPKTINFO: i32 = 49;
const IPV6_PKTINFO: i32 = 50;

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

/// Round-trip time in microseconds, and retransmissions so far, from `TCP_INFO`.
pub fn tcp_info(fd: &Fd) -> (u32, u32) {
    let (mut info, mut length) = ([0u32; 26], 104u32);
    match syscall!(GETSOCKOPT, fd.0, 6, 11, info.as_mut_ptr(), &mut length as *mut u32) {
        Ok(_) => (info[17], info[25]), // tcpi_rtt at byte 68, tcpi_total_retrans at byte 100
        Err(_) => (0, 0),
    }
}

/// `struct epoll_event`, which is packed on x86-64 only.
#[cfg_attr(target_arch = "x86_64", repr(C, packed))]
#[cfg_attr(not(target_arch = "x86_64"), repr(C))]
#[derive(Clone, Copy, Default)]
pub struct Event {
    pub flags: u32,
    pub data: u64,
}

pub const READABLE: u32 = 1;
pub const WRITABLE: u32 = 4;
pub const FAILED: u32 = 8;

pub fn epoll() -> Result<Fd> {
    syscall!(EPOLL_CREATE1, 0o2000000).map(|fd| Fd(fd as i32))
}

pub fn watch(epoll: &Fd, fd: &Fd, flags: u32, data: u64) -> Result<()> {
    let event = Event { flags, data };
    syscall!(EPOLL_CTL, epoll.0, 1, fd.0, &event as *const Event).map(|_| ())
}

pub fn rewatch(epoll: &Fd, fd: &Fd, flags: u32, data: u64) -> Result<()> {
    let event = Event { flags, data };
    syscall!(EPOLL_CTL, epoll.0, 3, fd.0, &event as *const Event).map(|_| ())
}

/// Waits for events; an interruption counts as none. `ms` below 0 waits for ever.
pub fn wait(epoll: &Fd, events: &mut [Event], ms: i32) -> Result<usize> {
    match syscall!(EPOLL_PWAIT, epoll.0, events.as_mut_ptr(), events.len(), ms as isize, 0, 8) {
        Err(EINTR) => Ok(0),
        other => other,
    }
}

/// `struct pollfd`.
#[repr(C)]
struct PollFd {
    fd: i32,
    wanted: i16,
    found: i16,
}

/// Waits until `fd` can be read (or written), or `stop` can be read; says which. At most `wait` nanoseconds; an interruption counts as neither.
/// Unlike epoll, this works on files of every kind.
#[inline(never)]
pub fn poll(fd: &Fd, writing: bool, stop: Option<&Fd>, wait: u64) -> (bool, bool) {
    let wanted = if writing { WRITABLE } else { READABLE } as i16;
    let mut both = [
        PollFd { fd: fd.0, wanted, found: 0 },
        PollFd { fd: stop.map_or(-1, |stop| stop.0), wanted: READABLE as i16, found: 0 },
    ];
    let mut time = [wait / 1_000_000_000, wait % 1_000_000_000]; // the kernel writes what is left
    let _ = syscall!(PPOLL, both.as_mut_ptr(), both.len(), time.as_mut_ptr(), 0, 8);
    (both[0].found != 0, both[1].found != 0)
}

fn clock(id: usize) -> u64 {
    let mut time = [0u64; 2];
    let _ = syscall!(CLOCK_GETTIME, id, time.as_mut_ptr());
    time[0] * 1_000_000_000 + time[1]
}

/// Nanoseconds in one.
pub const MILLISECOND: u64 = 1_000_000;

/// Monotonic clock, nanoseconds.
pub fn now() -> u64 {
    clock(1)
}

/// Wall clock, seconds since 1970.
pub fn unix_seconds() -> u64 {
    clock(0) / 1_000_000_000
}

pub fn open(path: &CStr) -> Result<Fd> {
    syscall!(OPENAT, -100isize, path.as_ptr(), 0o2000000, 0).map(|fd| Fd(fd as i32))
}

/// Random bytes; the clock where the kernel gives none.
pub fn random() -> u64 {
    let mut bytes = [0u8; 8];
    match syscall!(GETRANDOM, bytes.as_mut_ptr(), bytes.len(), 1) {
        Ok(8) => u64::from_ne_bytes(bytes),
        _ => now().wrapping_mul(0x9e37_79b9_7f4a_7c15),
    }
}

/// Raises the limit of open files as far as allowed and returns it.
pub fn raise_file_limit() -> usize {
    let mut limit = [0u64; 2];
    let _ = syscall!(PRLIMIT64, 0, 7, 0, limit.as_mut_ptr());
    limit[0] = limit[1];
    let _ = syscall!(PRLIMIT64, 0, 7, limit.as_ptr(), 0);
    limit[0].min(1 << 20) as usize
}

/// Blocks SIGTERM, SIGINT, SIGHUP and SIGPIPE; the first three arrive on the descriptor instead, also for PID 1.
pub fn termination() -> Result<Fd> {
    let wanted: u64 = 1 << 14 | 1 << 1 | 1;
    let blocked = wanted | 1 << 12;
    syscall!(SIGPROCMASK, 0, &blocked as *const u64, 0, 8)?;
    syscall!(SIGNALFD4, -1isize, &wanted as *const u64, 8, NONBLOCK_CLOEXEC).map(|fd| Fd(fd as i32))
}

pub fn exit(code: i32) -> ! {
    loop {
        let _ = syscall!(EXIT_GROUP, code);
    }
}

/// Fresh zeroed memory, or null.
pub fn map(length: usize) -> *mut u8 {
    syscall!(MMAP, 0, length, 3, 0x22, -1isize, 0).map_or(core::ptr::null_mut(), |address| address as *mut u8)
}
