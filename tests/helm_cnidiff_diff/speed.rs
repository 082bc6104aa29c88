//! How long it takes; not run by default. `cargo test --release -p helm-cnidiff --test helm_cnidiff_diff -- --ignored --nocapture`

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{fixtures, tell};

fn peak_mebibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// Processor time of this process so far: on a busy machine the clock on the wall tells of the others.
fn processor() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

#[test]
#[ignore = "takes time, and the time is what it is about"]
fn two_manifests_of_64_kilobytes() {
    let (old, new) = (fixtures::documents("cilium-1.18.4.yaml.gz"), fixtures::documents("cilium-1.19.6.yaml.gz"));
    const TIMES: u32 = 50;
    let working = processor();
    let mut differ = 0;
    for _ in 0..TIMES {
        differ = tell::rendered(fixtures::objects(old.clone()), fixtures::objects(new.clone())).objects.len();
    }
    println!("64 KiB against 64 KiB, processor time: {:?}, {differ} objects differ", (processor() - working) / TIMES);
}

#[test]
#[ignore = "takes time, and the time is what it is about"]
fn ten_thousand_objects_with_a_hundred_changes() {
    let templates = fixtures::documents("cilium-1.19.6.yaml.gz");
    let small: Vec<&Value> = templates.iter().filter(|d| d.to_string().len() < 8_000 && !d.is_null()).collect();
    let object = |n: usize| {
        let mut object = small[n % small.len()].clone();
        object["metadata"]["name"] = json!(format!("object-{n}"));
        object
    };
    let old: Vec<Value> = (0..10_000).map(object).collect();
    let mut new = old.clone();
    for n in 0..100 {
        match n % 4 {
            0 => new[n * 97]["metadata"]["annotations"] = json!({"changed": "yes"}),
            1 => new[n * 97]["metadata"]["name"] = json!(format!("renamed-{n}")),
            2 => {
                new[n * 97] = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("new-{n}")}})
            }
            _ => new[n * 97]["metadata"]["labels"] = json!({"x": n}),
        }
    }
    let before = peak_mebibytes();
    let (started, working) = (Instant::now(), processor());
    let (old, new) = (fixtures::objects(old), fixtures::objects(new));
    let read = processor() - working;
    let compared = helm_cnidiff::diff::objects::compare(&old, &new, &Default::default());
    let raw = processor() - working;
    drop(compared);
    let comparison = tell::rendered(old, new);
    println!(
        "10,000 objects against 10,000, processor time: sets {read:?}, matched and compared {:?}, all of it and freed {:?} \
         (wall {:?} in all); {} differ; peak {} MiB, {before} MiB of it the documents",
        raw - read,
        processor() - working - raw,
        started.elapsed(),
        comparison.objects.len(),
        peak_mebibytes()
    );
}
