//! Wires the stations and drains them.
