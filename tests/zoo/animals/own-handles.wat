;; Makes handles of its own without end.
(module
  (import "[export]test:zoo/things" "[resource-new]thing" (func $new (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "test:zoo/things#[constructor]thing") (result i32) (call $new (i32.const 1)))
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (loop (drop (call $new (i32.const 1))) (br 0))
    unreachable)
)
