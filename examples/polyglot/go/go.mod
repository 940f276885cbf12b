module spent

go 1.24
