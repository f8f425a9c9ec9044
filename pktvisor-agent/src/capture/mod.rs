//! Where packets come from.

pub mod afpacket;
pub mod attach;
pub mod clsact;
mod filter;
pub mod hosts;
pub mod interfaces;
pub mod kernel;
pub mod pause;
pub mod promiscuous;
pub mod tap;

pub use filter::{
    ClassicError, Filter, FilterError, FilterProgram, FilterProgramError, Hook, Placement, Rejected,
    TranslateError,
};
