;; Asks for random numbers without end.
(module
  (import "wasi:random/random@0.2.6" "get-random-u64" (func $random (result i64)))
  (memory (export "memory") 1)
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (loop (drop (call $random)) (br 0))
    unreachable)
)
