//! The gRPC client.
