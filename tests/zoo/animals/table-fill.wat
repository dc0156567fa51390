;; Fills a table, over and over.
(module
  (memory (export "memory") 1)
  (table $t 9000 funcref)
  (func (export "jackfield:call/story@0.1.0#run") (result i32)
    (loop (table.fill $t (i32.const 0) (ref.null func) (i32.const 9000)) (br 0))
    unreachable)
)
