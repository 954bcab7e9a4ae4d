/**
 * What tables share.
 */

/** A look at an object that was never written to must not write to it: its tables are made when they are needed. */
export const hasTable = (sql: SqlStorage, name: string): boolean =>
  [...sql.exec("SELECT 1 FROM sqlite_master WHERE name = ?", name)].length > 0;

/** Whether the table has that column. */
export const hasColumn = (sql: SqlStorage, table: string, column: string): boolean =>
  [...sql.exec("SELECT 1 FROM pragma_table_info(?) WHERE name = ?", table, column)].length > 0;
