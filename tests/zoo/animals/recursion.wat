;; Calls itself.
(module
  (memory (export "memory") 1)
  (func $deep (param i64) (result i64)
    (i64.add (local.get 0) (call $deep (i64.add (local.get 0) (i64.const 1)))))
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (drop (call $deep (i64.const 0)))
    (i32.const 64))
)
