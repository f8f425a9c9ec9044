//! The kernel programs: thin shells around the classifier of `pktvisor-common`.
//!
//! A program bounds a packet's bytes, has them classified by the code that file replay uses, and
//! counts. None of them changes a packet, and only the one for mirror ports (`tap`) decides its
//! fate.
#![no_std]
#![no_main]
// Inline assembly for BPF. aya-ebpf needs an unstable compiler too.
#![feature(asm_experimental_arch)]

mod account;
mod classify;
mod deep;
mod log;
mod maps;
mod reader;
mod tap;
mod tc;
mod xdp;

/// Nothing here panics: the verifier would reject a program that the compiler cannot prove free of
/// panics.
#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Some helpers are open to programs under the GPL or a compatible licence only.
#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
