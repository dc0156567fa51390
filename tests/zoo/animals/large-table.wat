;; Has a table larger than any story could have.
(module
  (memory (export "memory") 1)
  (table 100000 funcref)
  (func (export "jackfield:call/story@0.1.0#run") (result i32) (i32.const 64))
)
