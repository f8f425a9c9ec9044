//! The parts of pages. One file for each widget; each draws only into its area, which may have any
//! size.
//!
//! Every widget is a [`ratatui::widgets::StatefulWidget`] whose state is [`crate::app::Regions`],
//! the record of where everything is drawn.

pub mod bigtext;
mod canvas;
pub mod chart;
pub mod facts;
pub mod grid;
pub mod heading;
pub mod list_grid;
pub mod notice;
pub mod number_table;
pub mod tiles;
pub mod top_list;

pub use canvas::Canvas;
