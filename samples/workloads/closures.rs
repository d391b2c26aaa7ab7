// Rust names: closures, trait objects, generics with `->` in them, shims. Build: rustc -O -g -C force-frame-pointers=yes
use std::collections::BTreeMap;
use std::fmt::Debug;

trait Step {
    fn step(&self, x: u64) -> u64;
}

struct Scale(u64);

impl Step for Scale {
    #[inline(never)]
    fn step(&self, x: u64) -> u64 {
        (0..3000).fold(x, |a, i| a.wrapping_mul(self.0).wrapping_add(i))
    }
}

#[inline(never)]
fn apply<F: Fn(u64) -> u64>(f: F, x: u64) -> u64 {
    f(x)
}

#[inline(never)]
fn boxed(f: &dyn Fn(u64) -> u64, x: u64) -> u64 {
    f(x)
}

#[inline(never)]
fn pointer<T: Debug>(f: fn(&T) -> u64, x: &T) -> u64 {
    f(x)
}

fn length(text: &String) -> u64 {
    text.bytes().map(u64::from).sum()
}

fn main() {
    let seconds: f64 = std::env::args().nth(1).and_then(|s| s.parse().ok()).unwrap_or(1.0);
    let start = std::time::Instant::now();
    let steps: Vec<Box<dyn Step>> = vec![Box::new(Scale(3)), Box::new(Scale(5))];
    let mut total = 0u64;
    while start.elapsed().as_secs_f64() < seconds {
        total = steps.iter().fold(total, |a, s| s.step(a));
        total = apply(|x| (0..2000).fold(x, |a, i| a.rotate_left(7) ^ i), total);
        total = boxed(&|x| (0..2000).fold(x, |a, i| a.rotate_left(9) ^ i), total);
        let mut map = BTreeMap::new();
        for i in 0..200u64 {
            map.insert(format!("{:x}", i.wrapping_mul(total | 1)), i);
        }
        total = total.wrapping_add(map.keys().map(|k| pointer(length, k)).sum());
    }
    println!("{total}");
}
