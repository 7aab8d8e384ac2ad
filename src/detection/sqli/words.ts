/**
 * Words of SQL by what they do in a statement, from the manuals of MySQL 8, PostgreSQL 16, SQL Server, Oracle 23 and SQLite.
 * A word in none of these lists is a name.
 */

/** What a token does, one letter each: the letters of a fingerprint. */
export type Kind =
  /** number, or a word that stands for a value */
  | "n"
  /** text in quotes */
  | "s"
  /** variable, or a function without parentheses */
  | "v"
  /** name */
  | "i"
  /** name of a function, its parenthesis follows */
  | "f"
  /** arithmetic */
  | "o"
  /** comparison */
  | "c"
  /** and, or, xor */
  | "l"
  /** what stands before an operand: not, binary, distinct */
  | "p"
  /** union, intersect, except, minus */
  | "U"
  | "S"
  /** from */
  | "F"
  /** where, having, order by, limit: what an operand follows */
  | "k"
  /** join, as, asc, on: words within a query */
  | "j"
  /** the first word of a statement */
  | "t"
  /** case, when, then, end */
  | "C"
  | "w"
  | "h"
  | "e"
  | "("
  | ")"
  | ","
  | ";"
  | "{"
  | "}"
  /** a comment that goes on to the end of the text */
  | "#"
  /** the end of the text */
  | "."
  /** no SQL */
  | "?";

const kinds: readonly (readonly [Kind, string])[] = [
  ["n", "null true false unknown"],
  ["v", "current_user session_user system_user current_date current_time current_timestamp localtime localtimestamp"],
  [
    "v",
    "current_catalog current_schema current_role utc_date utc_time utc_timestamp sysdate systimestamp rownum rowid",
  ],
  ["l", "and or xor"],
  ["c", "like rlike regexp ilike glob in is between sounds similar isnull notnull overlaps"],
  ["o", "div mod collate escape"],
  ["p", "not binary distinct distinctrow all any some exists prior interval sql_calc_found_rows high_priority"],
  ["U", "union intersect except minus"],
  ["S", "select"],
  ["F", "from"],
  ["k", "where having order group limit offset procedure into rows fetch for returning by window qualify"],
  ["j", "as asc desc join inner outer cross natural on using straight_join nulls rollup with top values table"],
  ["t", "insert update delete drop create alter truncate exec execute declare waitfor shutdown set merge call replace"],
  ["t", "grant revoke load handler do begin if while print backup restore use copy attach pragma kill rename describe"],
  [
    "t",
    "explain show lock dbcc reconfigure goto prepare deallocate bulk raiserror analyze reindex vacuum commit rollback",
  ],
  ["C", "case"],
  ["w", "when"],
  ["h", "then else"],
  ["e", "end"],
];

const listed = (words: string): string[] => words.split(" ");

export const WORDS: ReadonlyMap<string, Kind> = new Map(
  kinds.flatMap(([kind, words]) => listed(words).map((word) => [word, kind] as const)),
);

/** Words that stay what they are where a parenthesis follows; all others are functions there. */
export const NEVER_CALLED: ReadonlySet<string> = new Set(
  listed(
    "and or xor like rlike regexp ilike glob in is between sounds similar div not binary distinct all any some exists union " +
      "intersect except minus select from where having order group limit offset into for returning by as join on using " +
      "values table top case when then else end set exec execute begin print collate with declare copy",
  ),
);

/** By the first word of a statement: what the next word may be. */
export const SECOND_WORDS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  (
    [
      ["drop", "table database user index view procedure function schema trigger column login role sequence"],
      [
        "create",
        "table database user index view procedure function schema trigger login role or temporary unique alias",
      ],
      ["alter", "table database user login session system procedure function role server view column"],
      ["insert", "into ignore overwrite"],
      ["delete", "from"],
      ["truncate", "table"],
      ["waitfor", "delay time"],
      ["replace", "into"],
      ["merge", "into using"],
      ["load", "data xml extension"],
      ["bulk", "insert"],
      ["backup", "database log"],
      ["restore", "database log"],
      ["attach", "database"],
      ["rename", "table"],
      ["lock", "tables table"],
      ["show", "tables databases columns grants variables processlist schemas"],
      ["explain", "select analyze"],
      ["grant", "all select insert update delete execute create usage dba connect"],
      ["revoke", "all select insert update delete execute create usage"],
      ["begin", "shutdown try declare select insert update delete exec execute waitfor set dbms_lock.sleep goto"],
      ["if", "exists not"],
      ["execute", "immediate"],
      ["shutdown", "with immediate abort"],
    ] as const
  ).map(([head, words]) => [head, new Set(listed(words))]),
);

/** Functions that wait, read files, run programs, ask the network, or tell by their errors. */
export const TELLING_FUNCTIONS: ReadonlySet<string> = new Set(
  listed(
    "sleep benchmark pg_sleep pg_sleep_for pg_sleep_until load_file loadfile extractvalue updatexml xmltype name_const " +
      "get_lock release_lock is_free_lock master_pos_wait generate_series randomblob load_extension sqlite_version " +
      "pg_read_file pg_ls_dir pg_stat_file lo_import lo_export query_to_xml database_to_xml dblink current_setting " +
      "xp_cmdshell xp_dirtree xp_regread xp_fileexist sp_executesql sp_password sp_oacreate sp_makewebtask openrowset " +
      "opendatasource openquery fn_xe_file_target_read_file sys_eval sys_exec analyse gtid_subset gtid_subtract " +
      "sys_context httpuritype make_set polygon multipoint linestring multilinestring " +
      "geometrycollection st_latfromgeohash st_pointfromgeohash regexp_substring crypt_key filetoclob writefile",
  ),
);

/** Functions that tell about the database. */
export const ASKING_FUNCTIONS: ReadonlySet<string> = new Set(
  listed(
    "version user database schema current_user session_user system_user current_database current_schema db_name user_name " +
      "suser_name suser_sname host_name has_dbaccess is_srvrolemember is_member object_id col_name connection_id " +
      "last_insert_id row_count found_rows uuid pg_client_encoding inet_server_addr inet_server_port host_id serverproperty " +
      "utl_inaddr sqlite_source_id total_changes changes has_database_privilege pg_user getdate userenv ora_database_name",
  ),
);

/** Functions that take texts and numbers apart, choose and count: what a question to a database is made of. */
export const MAKING_FUNCTIONS: ReadonlySet<string> = new Set(
  listed(
    "concat concat_ws group_concat char chr nchar ascii ord unicode hex unhex substring substr mid left right length len " +
      "char_length character_length lower upper lcase ucase trim ltrim rtrim lpad rpad reverse replace instr locate position " +
      "charindex patindex strcmp stuff repeat replicate conv convert cast bin oct if iif ifnull nullif isnull nvl decode " +
      "coalesce count rand elt md5 sha1 sha2 sha crc32 " +
      "aes_encrypt aes_decrypt des_encrypt encrypt password old_password compress encode to_char to_number to_date tochar " +
      "rawtohex hextoraw translate xmlelement xmlagg string_agg listagg wm_concat array_agg array_to_string json_object " +
      "json_extract json_arrayagg field find_in_set bit_length " +
      "soundex curdate unix_timestamp from_unixtime datediff iferror json_keys regexp_replace " +
      "quotename glob like likelihood typeof zeroblob printf group_concat row",
  ),
);

/** Packages of Oracle that reach out, tell, or wait; procedures of SQL Server by the beginning of their names. */
export const TELLING_PREFIX: RegExp =
  /^(?:dbms_|utl_|ctxsys\b|sys\.dbms_|user_lock\.|xp_|sp_oa|pg_read_|pg_ls_|master\.\.?xp_|ordsys\b)/;

/** Tables that say what a database holds. */
export const CATALOGUE: RegExp =
  /^(?:information_schema|pg_catalog|mysql\.|sys\.|master\.|msdb|sysobjects|syscolumns|sysusers|sysdatabases|sqlite_master|sqlite_schema|sqlite_temp_master|all_tables|all_tab_columns|all_users|user_tables|user_tab_columns|dba_|v\$|pg_|dual$|rdb\$|sysibm|syscat|domain\.)/;
