//! A scripted Milvus.
