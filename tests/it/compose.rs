//! docker-compose.yml, looked at without Docker: the Compose specification's schema, and the rules of this house.

use serde_json::Value;
use testkit::services;

/// The file as JSON, its YAML 1.2 read by Python.
fn compose() -> Value {
    let script = "import json, sys; from ruamel.yaml import YAML; \
        json.dump(YAML(typ='safe').load(open(sys.argv[1])), sys.stdout)";
    let mut python = services::python();
    python.args(["-c", script]);
    python.arg(services::repository().join("docker-compose.yml"));
    let output = python.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_compose_file_fits_the_compose_schema() {
    let check = |text: &str| {
        let file = services::scratch("compose").join("docker-compose.yml");
        std::fs::write(&file, text).unwrap();
        let mut python = services::python();
        python.args(["-m", "check_jsonschema"]);
        python.args(["--builtin-schema", "vendor.compose-spec"]);
        python.arg(file).output().unwrap()
    };
    let text = std::fs::read_to_string(services::repository().join("docker-compose.yml")).unwrap();
    let output = check(&text);
    assert!(output.status.success(), "{output:?}");
    let misspelt = text.replace("healthcheck:", "healthchek:");
    assert!(
        !check(&misspelt).status.success(),
        "the check finds nothing"
    );
}

#[test]
fn every_image_is_pinned_and_every_service_says_when_it_is_healthy() {
    let compose = compose();
    let services = compose["services"].as_object().unwrap();
    let names: Vec<&String> = services.keys().collect();
    assert_eq!(names, ["etcd", "kafka", "milvus", "minio"]);
    for (name, service) in services {
        let image = service["image"].as_str().unwrap();
        let tag = image.split_once(':').map(|(_, tag)| tag);
        let pinned = tag.is_some_and(|tag| tag.contains(|c: char| c.is_ascii_digit()));
        assert!(pinned, "{name}: {image} is not pinned");
        assert!(
            service["healthcheck"]["test"].is_array(),
            "{name}: no check"
        );
        let ports = service["ports"].as_array().into_iter().flatten();
        for port in ports {
            let port = port.as_str().unwrap();
            assert!(
                port.starts_with("127.0.0.1:"),
                "{name}: {port} is open to all"
            );
        }
    }
}

#[test]
fn milvus_waits_for_what_it_stores_in() {
    let waits = &compose()["services"]["milvus"]["depends_on"];
    for service in ["etcd", "minio"] {
        assert_eq!(waits[service]["condition"], "service_healthy", "{service}");
    }
}
