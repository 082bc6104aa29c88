//! What a C library would give: the entry point, the allocator, the panic handler.

use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::arch::naked_asm;
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_char};

use crate::sys;

/// The kernel jumps here with the argument count at the top of the stack.
///
/// # Safety
///
/// Called by the kernel only.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn _start() -> ! {
    naked_asm!("xor ebp, ebp", "mov rdi, rsp", "and rsp, -16", "call {0}", "ud2", sym entry)
}
/// The kernel jumps here with the argument count at the top of the stack.
///
/// # Safety
///
/// Called by the kernel only.
#[cfg(target_arch = "aarch64")]
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn _start() -> ! {
    naked_asm!("mov x29, xzr", "mov x30, xzr", "mov x0, sp", "and sp, x0, #-16", "b {0}", sym entry)
}

/// Collects the arguments and runs the program.
///
/// # Safety
///
/// `stack` is the stack pointer as the kernel left it.
unsafe extern "C" fn entry(stack: *const usize) -> ! {
    // SAFETY: by the System V ABI the stack holds argc, then argc pointers to NUL-terminated strings that live as long as the process.
    let arguments: Vec<&'static [u8]> = unsafe {
        let first = stack.add(1).cast::<*const c_char>();
        (0..*stack).map(|index| CStr::from_ptr(*first.add(index)).to_bytes()).collect()
    };
    sys::exit(crate::main(&arguments))
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    let _ = sys::write(&sys::STDERR, b"cni-probe: panic\n");
    sys::exit(101)
}

/// Free lists by powers of two over mapped chunks. Memory is reused, never given back: the agent is short-lived or idle.
struct Heap(UnsafeCell<State>);

struct State {
    free: [*mut u8; CLASSES],
    next: usize,
    end: usize,
}

const SMALLEST: usize = 16;
const CLASSES: usize = 24; // up to 128 MiB
const CHUNK: usize = 256 << 10;

// SAFETY: the agent has one thread; nothing here may ever start another.
unsafe impl Sync for Heap {}

#[global_allocator]
static HEAP: Heap = Heap(UnsafeCell::new(State { free: [core::ptr::null_mut(); CLASSES], next: 0, end: 0 }));

fn class(layout: Layout) -> usize {
    let size = layout.size().max(layout.align()).max(SMALLEST);
    (size.next_power_of_two() / SMALLEST).trailing_zeros() as usize
}

// SAFETY: blocks are disjoint, at least as large and as aligned as asked (powers of two, cut from page-aligned chunks at multiples of their own
// size up to a page, whole mappings above), and one thread only ever touches the state.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: one thread; the reference does not outlive this call.
        let state = unsafe { &mut *self.0.get() };
        let class = class(layout);
        if class >= CLASSES || layout.align() > 4096 {
            return core::ptr::null_mut();
        }
        let head = state.free[class];
        if !head.is_null() {
            // SAFETY: a freed block holds the pointer to the next one in its first word.
            state.free[class] = unsafe { head.cast::<*mut u8>().read() };
            return head;
        }
        let size = SMALLEST << class;
        if size >= CHUNK {
            return sys::map(size);
        }
        let align = size.min(4096);
        let mut at = (state.next + align - 1) & !(align - 1);
        if state.next == 0 || at + size > state.end {
            let chunk = sys::map(CHUNK);
            if chunk.is_null() {
                return chunk;
            }
            at = chunk as usize;
            state.end = at + CHUNK;
        }
        state.next = at + size;
        at as *mut u8
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: one thread; the block came from `alloc` with the same layout, so it is at least one word long and nobody uses it any more.
        unsafe {
            let state = &mut *self.0.get();
            let class = class(layout);
            block.cast::<*mut u8>().write(state.free[class]);
            state.free[class] = block;
        }
    }
}
