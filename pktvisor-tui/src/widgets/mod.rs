//! What pages are made of. One file per widget; each draws into its area and nowhere else, whatever its size.

pub mod bigtext;
mod canvas;
pub mod chart;
pub mod facts;
pub mod frame;
pub mod kpi;
pub mod list_grid;
pub mod notice;
pub mod top_list;

pub use canvas::Canvas;
