;; Never comes to `run`.
(module
  (memory (export "memory") 1)
  (func $start (loop (br 0)))
  (start $start)
  (func (export "jackfield:call/story@0.1.0#run") (result i32) (i32.const 64))
)
