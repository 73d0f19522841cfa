//! Compiles `proto/` into the Milvus client stubs (no protoc needed).

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let files = protox::compile(["proto/milvus.proto"], ["proto"])?;
    tonic_prost_build::configure()
        .build_server(false)
        // Milvus has an rpc named `Connect`, which the generated transport helper would collide with.
        .build_transport(false)
        .compile_fds(files)?;
    Ok(())
}
