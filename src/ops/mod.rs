//! The operations surface.
