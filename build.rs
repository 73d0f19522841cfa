//! Compiles `proto/` into the Milvus client stubs (no protoc needed).

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = protox::compile(["proto/milvus.proto"], ["proto"])?;
    let mut generate = tonic_prost_build::configure()
        .build_server(false)
        // Milvus has an rpc named `Connect`, which the generated transport helper would collide with.
        .build_transport(false);
    // What these are made of is to be held as it travels.
    for (message, held) in [
        ("StringArray", "DelimitedArray"),
        ("JSONArray", "DelimitedArray"),
        ("GeometryWktArray", "DelimitedArray"),
        ("SparseFloatArray", "SparseFloatArray"),
        ("FloatArray", "FloatArray"),
    ] {
        let message = format!(".milvus.proto.schema.{message}");
        generate = generate.extern_path(message, format!("crate::milvus::arrays::{held}"));
    }
    generate.compile_fds(files)?;
    Ok(())
}
