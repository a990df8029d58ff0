//! The manifests of all kinds.

use kube::{CustomResourceExt, Resource};

use crate::LoadBalancerClass;

/// The API group.
pub const GROUP: &str = "ferrolb.io";

/// File name and content of every CustomResourceDefinition, ready for `kubectl apply`.
///
/// # Errors
/// When a definition cannot be written as YAML.
pub fn generate() -> Result<Vec<(String, String)>, serde_saphyr::ser::Error> {
    [(LoadBalancerClass::crd(), LoadBalancerClass::plural(&()))]
        .into_iter()
        .map(|(crd, plural)| {
            let yaml = serde_saphyr::to_string(&crd)?;
            Ok((format!("{GROUP}_{plural}.yaml"), yaml))
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::LoadBalancerClassSpec;

    /// The committed files, by name.
    const FILES: [(&str, &str); 1] =
        [("ferrolb.io_loadbalancerclasses.yaml", include_str!("../yaml/ferrolb.io_loadbalancerclasses.yaml"))];

    #[test]
    fn the_files_are_fresh() {
        let generated = generate().unwrap();
        let names: Vec<&str> = generated.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, FILES.map(|(name, _)| name), "every kind has its file");
        for ((name, now), (_, file)) in generated.iter().zip(FILES) {
            assert!(now == file, "yaml/{name} is stale: cargo run -p ferrolb-crds --example write");
        }
    }

    #[test]
    fn a_definition_is_of_our_group_and_cluster_wide_and_carries_its_rules() {
        let crd = LoadBalancerClass::crd();
        assert_eq!(crd.spec.group, GROUP);
        assert_eq!(crd.spec.scope, "Cluster");
        let json = serde_json::to_value(&crd).unwrap();
        let schema = &json["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let spec = &schema["properties"]["spec"]["properties"];
        let rules = |of: &serde_json::Value| of["x-kubernetes-validations"].as_array().map_or(0, Vec::len);
        assert_eq!((rules(schema), rules(&spec["provider"]), rules(&spec["parameters"])), (1, 1, 2));
        assert_eq!(spec["allowedNamespaces"]["x-kubernetes-list-type"], "set");
        assert!(!json.to_string().contains("Auto-generated"), "every kind says what it is");
    }

    #[test]
    fn a_class_is_read_as_people_write_it() {
        let read = |json| serde_json::from_value::<LoadBalancerClassSpec>(json);
        let short = read(serde_json::json!({"provider": "elb"})).unwrap();
        assert!(!short.default && short.parameters.is_empty() && short.allowed_namespaces.is_empty());
        let newer = read(serde_json::json!({"provider": "elb", "allowedNamespaces": ["shop"], "later": 1})).unwrap();
        assert_eq!(newer.allowed_namespaces, ["shop"], "a field of a later version does not stop the list");
        assert!(read(serde_json::json!({})).is_err());
    }
}
